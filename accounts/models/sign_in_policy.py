from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.second_factor_policy import RequiredOf

THE_ONE: Final = 1


class SignInPolicy(models.Model):
    """What the installation requires of whoever signs in. One row; none until an operator changes it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    second_factor = models.CharField(
        max_length=20,
        choices=[
            (RequiredOf.NOBODY.value, _("nobody")),
            (RequiredOf.OPERATORS.value, _("operators")),
            (RequiredOf.EVERYBODY.value, _("everybody")),
        ],
        default=RequiredOf.NOBODY.value,
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=THE_ONE), name="sign_in_policy_once")]

    def __str__(self) -> str:
        return f"second factor: {self.second_factor}"
