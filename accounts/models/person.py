from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.names import PASSWORD_MAX


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str, password: str | None = None, **more: Any) -> "Person":
        person = self.model(email=email.strip().lower(), **more)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email=(username or "").lower())


class Person(AbstractBaseUser):
    """A human who signs in to the panel. `is_staff` makes an operator of the installation."""

    email = models.EmailField(_("email address"), unique=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("operator"), default=False)
    # They are an operator because of a group at the sign-in provider, and until they leave it.
    operator_by_group = models.BooleanField(default=False, db_default=False, editable=False)
    # "" until they choose one: pages then follow the browser.
    language = models.CharField(_("language"), max_length=8, blank=True, default="", db_default="")
    # The day of TIME_ZONE on which a mail said what ends soon (namespaces/expiry_mail.py).
    expiry_told_on = models.DateField(null=True, editable=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        constraints = [models.UniqueConstraint(Lower("email"), name="person_email_once")]

    def __str__(self) -> str:
        return self.email

    def check_password(self, raw_password: str | None) -> bool:
        """Nobody has a longer one, so it is not hashed."""
        return len(raw_password or "") <= PASSWORD_MAX and super().check_password(raw_password)
