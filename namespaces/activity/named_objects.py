"""Which users, namespaces and images that activity names are still there, with the pages they have."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import CharField, F, QuerySet, Value
from django.urls import reverse

from accounts.models import Account, RegistryUser
from namespaces.activity.entries import ActivityEntry
from namespaces.models import Image, Namespace
from namespaces.names import split

_USER: Final = re.compile(r"\((\w+)\)$")
_END_OF_NAME: Final = re.compile("[:@]")


@dataclass(frozen=True, slots=True)
class Named:
    """What an entry is about. `user`: a username; `target`: a namespace or repository; each "" for none.

    The texts are as the entry's object names them.
    """

    user: str = ""
    user_text: str = ""
    target: str = ""
    target_text: str = ""


def named_in(entry: ActivityEntry) -> Named:
    """Read the label: "CI deploy (wsbq5k5ysqyt) on team/app" of a grant, "team/*" of a rule on a whole namespace."""
    text = entry.object
    match entry.object_kind:
        case "user":
            return Named(user=entry.object_id, user_text=text)
        case "grant":
            user, _on, target = text.rpartition(" on ")
            username = _USER.search(user)
            return Named(username[1] if username else "", user, target, target)
        case "namespace" | "retention":
            return Named(target=text.removesuffix("/*"), target_text=text)
        case "image":
            return Named(target=_END_OF_NAME.split(text)[0], target_text=text)
    return Named()


class NamedObjects:
    """What the entries of one page name, as far as it is there now and this account's. One statement.

    By name: a namespace that was deleted and made again is the one that is there now.
    """

    def __init__(self, account: Account, entries: Iterable[ActivityEntry]) -> None:
        self._handle = account.handle
        self._users: dict[str, str] = {}
        self._namespaces: set[str] = set()
        self._images: set[str] = set()
        self._load(account, list(entries))

    def _load(self, account: Account, entries: list[ActivityEntry]) -> None:
        named = [named_in(entry) for entry in entries]
        usernames = {each.user for each in named} | {e.actor for e in entries if e.actor_kind == "user"}
        targets = {split(each.target) for each in named if each.target}
        names, images = {name for name, _image in targets}, {pair for pair in targets if pair[1]}
        users = RegistryUser.objects.filter(account=account, username__in=usernames - {""})
        namespaces = Namespace.objects.filter(account=account, name__in=names)
        found = Image.objects.filter(  # and a few more, of other pairs of the same names
            namespace__account=account,
            namespace__name__in={name for name, _image in images},
            name__in={image for _name, image in images},
        )
        asked = [
            _rows("user", users, "description", "username"),
            _rows("namespace", namespaces, "name", "name"),
            _rows("image", found, "namespace__name", "name"),
        ]
        for kind, first, name in asked[0].union(*asked[1:], all=True):
            match kind:
                case "user":
                    self._users[name] = first
                case "namespace":
                    self._namespaces.add(name)
                case _:
                    self._images.add(f"{first}/{name}")

    def description(self, username: str) -> str:
        return self._users.get(username, "")

    def user_url(self, username: str) -> str:
        """Return "", as the others do, for what is not there any more."""
        return reverse("user", args=[self._handle, username]) if username in self._users else ""

    def target_url(self, target: str) -> str:
        namespace, image = split(target)
        if target in self._images:
            return reverse("image", args=[self._handle, namespace, image])
        there = not image and namespace in self._namespaces
        return reverse("namespace", args=[self._handle, namespace]) if there else ""

    def permissions_url(self, target: str) -> str:
        """Return where the permissions on it are; of an image that was not pushed, those of its namespace."""
        namespace, image = split(target)
        if target in self._images:
            return reverse("image-access", args=[self._handle, namespace, image])
        return reverse("permissions", args=[self._handle, namespace]) if namespace in self._namespaces else ""


def _rows(kind: str, rows: QuerySet[Any], first: str, name: str) -> QuerySet[Any, Any]:
    columns = {"a": Value(kind, CharField()), "b": F(first), "c": F(name)}
    found: QuerySet[Any, Any] = rows.order_by().annotate(**columns).values_list("a", "b", "c")
    return found
