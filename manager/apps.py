from django.apps import AppConfig


class ManagerConfig(AppConfig):
    name = "manager"

    def ready(self) -> None:
        from manager import celery, pooler  # noqa: F401, PLC0415 (tasks bind to this application)

        pooler.watch()
