from django.apps import AppConfig


class NamespacesConfig(AppConfig):
    name = "namespaces"

    def ready(self) -> None:
        from accounts.pages import secret_page  # noqa: PLC0415 (models are ready only now)
        from namespaces import news  # noqa: F401, PLC0415 (registers what it knows)
        from namespaces.examples import example_of  # noqa: PLC0415

        secret_page.example_of = example_of
