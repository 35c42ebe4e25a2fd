from django.apps import AppConfig


class RegistrySyncConfig(AppConfig):
    name = "registry_sync"

    def ready(self) -> None:
        from registry_sync import checks  # noqa: F401, PLC0415 (register themselves)
