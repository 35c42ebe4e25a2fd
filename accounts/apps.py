from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Connect what listens to allauth's signals."""
        from accounts import security_signals  # noqa: F401, PLC0415 (models are loaded only now)
        from accounts.views import second_factor_records  # noqa: F401, PLC0415
