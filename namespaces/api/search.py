"""Search over images, tags, digests, labels and users: what the search in the header finds."""

from collections.abc import Callable, Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, Moment, PageQuery
from accounts.api.view import ApiView
from accounts.models import Account, RegistryUser
from accounts.second_factors import requirement
from namespaces.listing import pg_plans, search
from namespaces.models import Image, Tag

KINDS = list(search.KINDS)


class SearchAllQuery(PageQuery):
    q = serializers.CharField(
        max_length=SEARCH_MAX,
        help_text="A piece of the name of an image, a tag or a user; a reference as it is pasted; the beginning of the "
        "digest of a manifest, of a layer, or of an image’s config (its ID); of a label its value from the beginning, "
        "or `key=value`.",
    )
    kind = serializers.ChoiceField(
        KINDS,
        default="",
        allow_blank=True,
        help_text=f"Page through all of one kind. Without it the first {search.SHOWN} of each.",
    )


class HitSerializer(serializers.Serializer[Any]):
    """What does not apply to its kind is empty."""

    kind = serializers.ChoiceField(KINDS)
    account = serializers.CharField(help_text="Its handle.")
    repository = serializers.CharField(default="", allow_blank=True)
    tag = serializers.CharField(
        default="",
        allow_blank=True,
        help_text="Of digests and labels: one that leads there, as of its index.",
    )
    digest = serializers.CharField(default="", allow_blank=True)
    matched_digest = serializers.CharField(
        default="",
        allow_blank=True,
        help_text="For configs (what `docker images` shows as the ID) and layers: the digest that was searched for.",
    )
    labels = serializers.DictField(
        child=serializers.CharField(), default=dict, help_text="Those that were searched for."
    )
    username = serializers.CharField(default="", allow_blank=True)
    description = serializers.CharField(default="", allow_blank=True)
    pushed_at = Moment(default=None, allow_null=True)


class Search(ApiView):
    @operation("search_read", answer=HitSerializer, pages=True, query=SearchAllQuery)
    def get(self, request: Request) -> Response:
        """Search every account that the person is a member of."""
        accounts = selectors.accounts_of(person_id=self.by.person_id, only=self.by.only_account)
        return _found(self, requirement.admitting(accounts, self.by))


class AccountSearch(ApiView):
    @operation("search_account", answer=HitSerializer, pages=True, query=SearchAllQuery)
    def get(self, request: Request, handle: str) -> Response:
        return _found(self, [permissions.account(self.by, handle)])


def _found(view: ApiView, accounts: Sequence[Account]) -> Response:
    typed, kind = view.query["q"], view.query["kind"]
    with pg_plans.by_value():
        if kind:
            rows = search.rows_of(kind, accounts, typed)
            rows = Image.objects.none().order_by("id") if rows is None else rows
            return view.page(rows, shown=lambda page: _hits(kind, page, typed))
        groups = search.search_groups(accounts, typed)
        hits = [hit for group in groups for hit in _hits(group.kind, group.rows, typed)]
    return view.only_page(hits)


def _hits(kind: str, rows: Sequence[Any], typed: str) -> list[dict[str, Any]]:
    return [{"kind": kind} | _TOLD[kind](row) for row in search.with_context(kind, rows, typed)]


def _image(row: Image) -> dict[str, Any]:
    return {
        "account": row.namespace.account.handle,
        "repository": row.repository,
        "tag": row.latest_tag,
        "pushed_at": row.pushed_at,
    }


def _tag(row: Tag) -> dict[str, Any]:
    return _image(row.image) | {"tag": row.name, "digest": row.manifest_id, "pushed_at": row.pushed_at}


def _held(row: search.ManifestMatch) -> dict[str, Any]:
    return _image(row.revision.image) | {
        "tag": row.tag or row.within,
        "digest": row.revision.manifest_id,
        "pushed_at": None,
        "matched_digest": row.part,
        "labels": {label.key: label.value for label in row.labels},
    }


def _user(row: RegistryUser) -> dict[str, Any]:
    return {"account": row.account.handle, "username": row.username, "description": row.description}


_TOLD: dict[str, Callable[[Any], dict[str, Any]]] = {
    "images": _image, "tags": _tag, "digests": _held, "configs": _held, "layers": _held, "labels": _held,
    "users": _user, "technical": _tag,
}  # fmt: skip
