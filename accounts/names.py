"""Names that people type or the panel makes: account handles, usernames and email addresses. PURE."""

import re
import secrets
import string
import unicodedata

USERNAME_LENGTH = 12
_FIRST = string.ascii_lowercase
_REST = string.ascii_lowercase + string.digits
USERNAME = re.compile(r"[a-z][a-z0-9]{11}")
HANDLE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
HANDLE_MAX = 40
TITLE_MAX = 80
DESCRIPTION_MAX = 100
LONGEST_LIFE_DAYS_MAX = 3650
EXPIRY_DAYS = 90  # of a user or an API token, where nobody says otherwise
EMAIL_MAX = 254
PASSWORD_MAX = 256  # of a person
# Python’s codec makes other letters of these, or nothing (IDNA 2003); for mail servers they are names of their own.
_OTHERS_READ = frozenset("ßς\u200c\u200d")


def make_username() -> str:
    """Like wsbq5k5ysqyt: 12 characters, a letter first, safe in every shell and URL."""
    return secrets.choice(_FIRST) + "".join(secrets.choice(_REST) for _ in range(USERNAME_LENGTH - 1))


def handle_from(title: str) -> str:
    """Return the address part for a name: "Équipe Rouge!" → "equipe-rouge"; "account" when nothing is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:HANDLE_MAX].strip("-") or "account"


def clean_title(text: str) -> str:
    """Display text as it is kept: NFKC, inner white space folded, no control or invisible characters."""
    normal = unicodedata.normalize("NFKC", text)
    visible = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in normal)
    return " ".join(visible.split())


def clean_email(text: str) -> str:
    """Return the address as it is kept, in lower-case ASCII.

    A domain that only looks like another reads xn--…

    "" for one that cannot be kept: letters before the @ that only look like a-z, a domain that others read as another,
    or too long.
    """
    local, at, domain = text.strip().rpartition("@")
    if not at or not local.isascii() or _OTHERS_READ & set(domain.lower()):  # some turn ASCII in lower case
        return ""
    try:
        found = f"{local}@{domain.encode('idna').decode()}".lower()
    except UnicodeError:  # invisible characters, those that turn the text around, parts past 63 characters
        return ""
    return found if len(found) <= EMAIL_MAX else ""
