from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.lazy_text_field import LazyTextField


class SecurityEvent(models.Model):
    """Something that happened to a person's ways in: a sign-in, a new password, a revoked API token.

    `actor`: who did it, where it was not the person; "" also where nobody had signed in. `detail` names what it is
    about, such as a token. `client` is as `user_agent.browser` returns it. `count`: how many failed sign-ins a row
    stands for; `at` is then the last. `new_place`: a sign-in from where the person had not been lately (sign_ins.py).
    """

    class Kind(models.TextChoices):
        """A code never changes: rows have it. The label is the beginning of a line: "Signed in: by passkey"."""

        SIGNED_IN = "signed_in", _("Signed in")
        SIGN_IN_FAILED = "sign_in_failed", _("Failed sign-in")
        SIGNED_OUT = "signed_out", _("Signed out")
        SESSION_ENDED = "session_ended", _("Session ended")
        PASSWORD_SET = "password_set", _("Password set")
        PASSWORD_CHANGED = "password_changed", _("Password changed")
        PASSWORD_RESET = "password_reset", _("Password reset")
        RESET_LINK_SENT = "reset_link_sent", _("Password reset link created")
        EMAIL_ADDED = "email_added", _("Email address added")
        EMAIL_CHANGED = "email_changed", _("Primary email address changed")
        EMAIL_REMOVED = "email_removed", _("Email address removed")
        FACTOR_ADDED = "factor_added", _("Second factor added")
        FACTOR_REMOVED = "factor_removed", _("Second factor removed")
        FACTORS_RESET = "factors_reset", _("All second factors removed")
        RECOVERY_CODES_CREATED = "recovery_codes_created", _("Recovery codes created")
        RECOVERY_CODE_USED = "recovery_code_used", _("Recovery code used")
        PROVIDER_LINKED = "provider_linked", _("Single sign-on linked")
        PROVIDER_UNLINKED = "provider_unlinked", _("Single sign-on unlinked")
        API_TOKEN_CREATED = "api_token_created", _("API token created")
        API_TOKEN_REVOKED = "api_token_revoked", _("API token revoked")
        API_TOKEN_LEAKED = "api_token_leaked", _("Leaked API token ended")
        MADE_OPERATOR = "made_operator", _("Made an operator")
        UNMADE_OPERATOR = "unmade_operator", _("No longer an operator")
        DISABLED = "disabled", _("Sign-in disabled")
        ENABLED = "enabled", _("Sign-in enabled")

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="security_events"
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=30, choices=Kind.choices)
    actor = models.CharField(max_length=254, default="")
    address = models.CharField(max_length=45, default="")
    client = models.CharField(max_length=100, default="")
    detail = LazyTextField(default="")
    count = models.PositiveIntegerField(default=1)
    new_place = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["person", "-at", "-id"], name="security_event_listing"),
            models.Index(fields=["at"], name="security_event_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind}"
