"""Removing tags and images, putting tags back, and the history of an image's tags."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid, NotFound
from accounts.common.translation import translate
from accounts.roles import Permission
from namespaces import permissions
from namespaces.models import Image
from namespaces.models.history import TagHistoryEntry
from registry_sync.deletion import history, matching_tags, restore, service
from registry_sync.deletion.freed_space_api import FreedSpaceSerializer
from registry_sync.deletion.outcomes import Outcome, sentence
from registry_sync.models import Removal, RemovalItem

KINDS = [kind.value for kind in Removal.Kind]
REMOVAL_STATES = [state.value for state in Removal.State]
ITEM_STATES = RemovalItem.State.values
OUTCOMES = [outcome.value for outcome in Outcome]
ORIGINS = [how.value for how in TagHistoryEntry.How]
ITEMS_SHOWN = 1000


class TagHistorySerializer(serializers.Serializer[Any]):
    tag = serializers.CharField()
    old_digest = serializers.CharField(source="old", allow_blank=True, help_text="Empty: the tag was new.")
    new_digest = serializers.CharField(
        source="new", allow_blank=True, help_text="Empty: the tag was removed."
    )
    changed_at = Moment(source="at")
    changed_by = serializers.CharField(
        source="by", allow_blank=True, help_text="A username or a person; empty: not known."
    )
    origin = serializers.ChoiceField(
        ORIGINS,
        source="how",
        help_text="`event`: the registry said so; `found`: a sync saw it; `panel`: it was done here.",
    )


class HistoryQuery(PageQuery):
    tag = serializers.CharField(default="", allow_blank=True, max_length=128)


class DeletionPreviewQuery(Strict):
    tags = serializers.CharField(
        default="", allow_blank=True, max_length=20_000, help_text="Separated by commas."
    )
    digests = serializers.CharField(default="", allow_blank=True, max_length=20_000, help_text="As `tags`.")
    search = serializers.CharField(
        default=None,
        allow_null=True,
        allow_blank=True,
        max_length=SEARCH_MAX,
        help_text=f"Instead: all tags that match, at most {settings.MATCHING_MAX:,}; empty: all.",
    )


class RecentPullerSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(
        allow_blank=True, help_text="Empty: not signed in, or of another account."
    )
    tag = serializers.CharField(allow_blank=True)
    pull_count = serializers.IntegerField(source="count")
    last_pulled_at = Moment(source="last_at")


class DeletionPreviewSerializer(FreedSpaceSerializer):
    digests = serializers.ListField(
        child=serializers.CharField(), help_text="All manifests that would be deleted."
    )
    other_tags = serializers.ListField(
        child=serializers.CharField(), help_text="Other tags that would be removed too."
    )
    platforms = serializers.ListField(
        child=serializers.CharField(), help_text="Those of `digests` that only a deleted index lists."
    )
    referrers = serializers.ListField(
        child=serializers.CharField(), help_text="Those of `digests` that are signatures, SBOMs and the like."
    )
    orphaned_referrers = serializers.ListField(
        child=serializers.CharField(),
        help_text="Referrers of `digests` that stay, because they are tagged or listed elsewhere.",
    )
    broken_indexes = serializers.ListField(
        child=serializers.CharField(), help_text="Untagged indexes that would be incomplete."
    )
    blocked_reason = serializers.CharField(
        allow_blank=True, help_text="Why it cannot be done; empty: it can."
    )
    recent_pulls = RecentPullerSerializer(many=True, help_text="Within 30 days, the last 50.")
    preview_digest = serializers.CharField(help_text="Send it back to delete what was previewed.")
    matching_tag_count = serializers.IntegerField(allow_null=True, help_text="How many tags match `search`.")


class ItemBody(Strict):
    tag = serializers.CharField(default="", allow_blank=True, max_length=128)
    digest = serializers.CharField(default="", allow_blank=True, max_length=140)


class RemovalBody(Strict):
    kind = serializers.ChoiceField(KINDS)
    items = ItemBody(
        many=True,
        default=list,
        help_text="untag: each tag with the digest it points at. delete: each a tag or a digest. restore: one tag with "
        "the digest that it is to point at again.",
    )
    search = serializers.CharField(
        default=None,
        allow_null=True,
        allow_blank=True,
        max_length=SEARCH_MAX,
        help_text="untag, delete: instead of `items` all tags that match, as in the preview of `preview_digest`.",
    )
    expected_digest = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=140,
        help_text="restore: the digest the tag points at now, or empty.",
    )
    preview_digest = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=130,
        help_text="delete, and with `search`: `preview_digest` of the preview that is confirmed.",
    )
    confirmation = serializers.CharField(
        default="", allow_blank=True, max_length=255, help_text="delete: the image’s name, as confirmation."
    )


class ItemSerializer(serializers.Serializer[Any]):
    tag = serializers.CharField(allow_blank=True)
    digest = serializers.CharField()
    state = serializers.ChoiceField(ITEM_STATES)
    outcome = serializers.ChoiceField(OUTCOMES, allow_blank=True)
    message = serializers.CharField(allow_blank=True, help_text="The outcome in words.")
    detail = serializers.CharField(allow_blank=True)


class RemovalSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(KINDS)
    state = serializers.ChoiceField(REMOVAL_STATES)
    requested_by = serializers.CharField()
    requested_at = Moment()
    finished_at = Moment(allow_null=True)
    problem = serializers.CharField(allow_blank=True, help_text="Why it is still waiting.")


class RemovalDetailSerializer(RemovalSerializer):
    items = ItemSerializer(many=True)


class History(ApiView):
    @operation("images_history", answer=TagHistorySerializer, pages=True, query=HistoryQuery)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        """List every change of a tag, the latest first."""
        found = permissions.image(self.by, handle, name, image)
        return self.page(history.entries_of(found, tag=self.query["tag"]))


class DeletionPreview(ApiView):
    @operation("removals_preview", answer=DeletionPreviewSerializer, query=DeletionPreviewQuery)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        """Show what deleting what these tags point at, and these digests, would do. Changes nothing."""
        found = permissions.image(self.by, handle, name, image)
        if self.query["search"] is not None:
            return self.answer(_preview_matching(found, self.query["search"]))
        tags, digests = _split(self.query["tags"]), _split(self.query["digests"])
        if len(tags) + len(digests) > service.ITEMS_MAX:
            raise Invalid.on("tags", _("Select at most %(most)s at once.") % {"most": service.ITEMS_MAX})
        return self.answer(_preview(service.preview(found, tags=tags, digests=digests)))


class Removals(ApiView):
    @operation("removals_list", answer=RemovalSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        found = permissions.image(self.by, handle, name, image)
        return self.page(Removal.objects.filter(image=found).order_by("-id"))

    @operation("removals_create", body=RemovalBody, answer=RemovalDetailSerializer, status=202)
    def post(self, request: Request, handle: str, name: str, image: str) -> Response:
        """Request it; the worker does it, usually within a second, and the removal shows the outcome."""
        found = permissions.image(self.by, handle, name, image, Permission.IMAGES_REMOVE)
        return self.answer(_detail(self._request(found, self.data())))

    def _request(self, image: Image, body: dict[str, Any]) -> Removal:
        items = body["items"]
        if body["search"] is not None:
            return self._request_matching(image, body)
        match body["kind"]:
            case Removal.Kind.UNTAG:
                tags = {item["tag"]: item["digest"] for item in items}
                return service.untag(by=self.by, image=image, tags=tags)
            case Removal.Kind.DELETE:
                return service.delete(
                    by=self.by,
                    image=image,
                    preview_digest=body["preview_digest"],
                    confirmation=body["confirmation"],
                    tags=[item["tag"] for item in items if item["tag"]],
                    digests=[item["digest"] for item in items if item["digest"] and not item["tag"]],
                )
        if len(items) != 1:
            raise Invalid.on("items", _("Restore one tag at a time."))
        return service.restore(by=self.by, image=image, expected_digest=body["expected_digest"], **items[0])

    def _request_matching(self, image: Image, body: dict[str, Any]) -> Removal:
        tags_digest, _dash, preview_digest = body["preview_digest"].partition("-")
        match body["kind"]:
            case _ if body["items"]:
                raise Invalid.on("items", _("Give either items or a search, not both."))
            case Removal.Kind.UNTAG:
                return matching_tags.untag(
                    by=self.by, image=image, search=body["search"], tags_digest=tags_digest
                )
            case Removal.Kind.DELETE:
                return matching_tags.delete(
                    by=self.by,
                    image=image,
                    search=body["search"],
                    tags_digest=tags_digest,
                    preview_digest=preview_digest,
                    confirmation=body["confirmation"],
                )
        raise Invalid.on("search", _("Restore one tag at a time."))


class OneRemoval(ApiView):
    @operation("removals_read", answer=RemovalDetailSerializer)
    def get(self, request: Request, handle: str, name: str, image: str, id: int) -> Response:  # noqa: A002
        owner = permissions.image(self.by, handle, name, image)
        found = Removal.objects.filter(image=owner, pk=id).first()
        if not found:
            raise NotFound
        return self.answer(_detail(found))


class RestoreRemoval(ApiView):
    @operation("removals_restore", answer=RemovalDetailSerializer, status=202)
    def post(self, request: Request, handle: str, name: str, image: str, id: int) -> Response:  # noqa: A002
        """Request that all a deletion deleted is pushed again, as far as the registry still holds the layers."""
        owner = permissions.image(self.by, handle, name, image, Permission.IMAGES_REMOVE)
        found = Removal.objects.filter(image=owner, pk=id).first()
        if not found:
            raise NotFound
        return self.answer(_detail(restore.restore_removal(by=self.by, removal=found)))


def _split(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _preview_matching(image: Image, search: str) -> dict[str, Any]:
    tags = matching_tags.tags(image, search)
    found = _preview(service.preview(image, tags=[tag.name for tag in tags]))
    return found | {
        "matching_tag_count": len(tags),
        "preview_digest": f"{matching_tags.fingerprint_of(tags)}-{found['preview_digest']}",
    }


def _preview(found: service.DeletionPreview) -> dict[str, Any]:
    impact = found.impact
    return {
        "digests": [each.digest for each in impact.deletions],
        **{
            name: list(getattr(impact, name))
            for name in ("other_tags", "platforms", "referrers", "orphaned_referrers", "broken_indexes")
        },
        "blocked_reason": found.blocked_reason,
        **asdict(found.space),
        "recent_pulls": found.pullers,
        "preview_digest": found.preview_digest,
        "matching_tag_count": None,
    }


def _detail(removal: Removal) -> dict[str, Any]:
    fields = ("id", "kind", "state", "requested_by", "requested_at", "finished_at", "problem")
    items = removal.items.order_by("id")[:ITEMS_SHOWN]
    return {name: getattr(removal, name) for name in fields} | {
        "items": [
            {name: getattr(item, name) for name in ("tag", "digest", "state", "outcome", "detail")}
            | {"message": translate(sentence(item.outcome, started=bool(item.started_at)))}
            for item in items
        ]
    }
