"""Texts of libraries that our catalogues translate in their place, because theirs are in another voice. PURE."""

from accounts.common.lazy_text import lazy as _

# django-allauth's labels.
TEXTS = (_("Email"),)
