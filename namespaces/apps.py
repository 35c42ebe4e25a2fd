from django.apps import AppConfig


class NamespacesConfig(AppConfig):
    name = "namespaces"

    def ready(self) -> None:
        from accounts.views import credentials_page  # noqa: PLC0415 (models are ready only now)
        from namespaces import tag_updates  # noqa: F401, PLC0415 (registers what it knows)
        from namespaces.example_image import example_of  # noqa: PLC0415

        credentials_page.example_of = example_of
