"""What changed in tags since a page was rendered. Each visible page polls for it (accounts/live_updates.py)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import live_updates
from accounts.live_updates import Thing
from accounts.models import Account
from namespaces.models import Image, Namespace, TagHistoryEntry
from namespaces.names import is_technical

COUNTED_MAX = 500


@dataclass(frozen=True, slots=True)
class TagChanges:
    """How many tags are new, point at another manifest, or are gone."""

    new: int = 0
    moved: int = 0
    gone: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.moved or self.gone)


live_updates.THINGS |= {
    "image": Thing(
        "i.newest_history_id",
        "LEFT JOIN namespaces_namespace n ON n.id = %(key)s AND n.account_id = %(account)s"
        " LEFT JOIN namespaces_image i ON i.namespace_id = n.id AND i.name = %(name)s",
    ),
    "namespace": Thing(
        "(SELECT MAX(i.newest_history_id) FROM namespaces_image i WHERE i.namespace_id = n.id)",
        "LEFT JOIN namespaces_namespace n ON n.id = %(key)s AND n.account_id = %(account)s",
    ),
    # By namespaces, each by its index: not by all images of the account.
    "account": Thing(
        "(SELECT MAX((SELECT MAX(i.newest_history_id) FROM namespaces_image i WHERE i.namespace_id = n.id))"
        " FROM namespaces_namespace n WHERE n.account_id = %(account)s)"
    ),
}


def first_live_note_of_image(request: HttpRequest, image: Image) -> str:
    """As the image was loaded, before its rows: what comes in between is news."""
    return live_updates.note_of(
        request,
        "image",
        image.namespace_id,
        account=image.namespace.account_id,
        name=image.name,
        state=[image.newest_history_id if image.pk else None],
    )


def live_note_of_image(request: HttpRequest, image: Image, since: Any = None) -> str:
    account = image.namespace.account_id
    return live_updates.note(
        request, "image", image.namespace_id, account=account, name=image.name, since=since
    )


def live_note_of_namespace(request: HttpRequest, namespace: Namespace, since: Any = None) -> str:
    return live_updates.note(request, "namespace", namespace.pk, account=namespace.account_id, since=since)


def first_live_note_of_account(
    request: HttpRequest, account: Account, namespaces: Sequence[Namespace]
) -> str:
    """As its namespaces were loaded with `newest_history_id`, before its images."""
    newest = [each.newest_history_id for each in namespaces if each.newest_history_id is not None]
    return live_updates.note_of(
        request, "account", account.pk, account=account.pk, state=[max(newest, default=None)]
    )


def live_note_of_account(request: HttpRequest, account: Account, since: Any = None) -> str:
    return live_updates.note(request, "account", account.pk, account=account.pk, since=since)


def changes_since(entries: QuerySet[TagHistoryEntry], id: int) -> TagChanges:  # noqa: A002
    """Count each tag once, by its first and last state after history entry `id`. Technical tags do not count."""
    first: dict[tuple[int, str], str] = {}
    last: dict[tuple[int, str], str] = {}
    rows = entries.filter(id__gt=id).order_by("id").values_list("image_id", "tag", "old", "new")
    for image, tag, old, new in rows[:COUNTED_MAX]:
        if is_technical(tag):
            continue
        first.setdefault((image, tag), old)
        last[image, tag] = new
    changed = [(bool(first[key]), bool(last[key])) for key in first if first[key] != last[key]]
    return TagChanges(
        new=changed.count((False, True)), moved=changed.count((True, True)), gone=changed.count((True, False))
    )


def history_of_image(image: Image) -> QuerySet[TagHistoryEntry]:
    return TagHistoryEntry.objects.filter(image__namespace=image.namespace, image__name=image.name)


def history_of_namespace(namespace: Namespace) -> QuerySet[TagHistoryEntry]:
    return TagHistoryEntry.objects.filter(image__namespace=namespace)


def history_of_account(account: Account) -> QuerySet[TagHistoryEntry]:
    return TagHistoryEntry.objects.filter(image__namespace__account=account)
