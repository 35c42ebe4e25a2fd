"""Deleting images, or a namespace, with all in them, and putting that back."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid, NotFound
from accounts.models import Account
from accounts.roles import Permission
from namespaces import permissions
from namespaces.models import Image
from registry_sync.deletion import purge_scope, purge_service
from registry_sync.deletion.api import RecentPullerSerializer
from registry_sync.deletion.freed_space_api import FreedSpaceSerializer
from registry_sync.deletion.purge_selection import ImageSelection
from registry_sync.models import Purge

STATES = [state.value for state in Purge.State]


class PurgePreviewSerializer(FreedSpaceSerializer):
    image_count = serializers.IntegerField()
    tag_count = serializers.IntegerField(help_text="Without technical tags.")
    technical_tag_count = serializers.IntegerField(help_text="Tags that tools derived from digests.")
    manifest_count = serializers.IntegerField()
    unreadable_manifests = serializers.ListField(
        child=serializers.CharField(),
        help_text="They are deleted first, and the rest waits for them.",
    )
    unreadable_repositories = serializers.ListField(
        child=serializers.CharField(),
        help_text="Could not be read completely by the last check.",
    )
    unrestorable_manifest_count = serializers.IntegerField()
    repositories_sharing_layers = serializers.ListField(
        child=serializers.CharField(),
        help_text="Some of the account.",
    )
    recent_pulls = RecentPullerSerializer(many=True, help_text="Within 30 days.")
    blocked_reason = serializers.CharField(
        allow_blank=True, help_text="Why it cannot be done; empty: it can."
    )
    preview_digest = serializers.CharField(help_text="Send it back to delete what was previewed.")


class PurgeBody(Strict):
    preview_digest = serializers.CharField(
        max_length=64, help_text="`preview_digest` of the preview that is confirmed."
    )
    confirmation = serializers.CharField(
        max_length=255, help_text="The name of the image, or of the namespace, as confirmation."
    )


class _Search(Strict):
    search = serializers.CharField(
        default=None,
        allow_null=True,
        allow_blank=True,
        max_length=SEARCH_MAX,
        help_text=f"Instead: all images that match, at most {settings.MATCHING_MAX:,}; empty: all.",
    )
    namespace = serializers.CharField(
        default="", allow_blank=True, max_length=255, help_text="With `search`: only those of this namespace."
    )


class ImagesPurgeQuery(_Search):
    images = serializers.CharField(
        default="", allow_blank=True, max_length=30_000, help_text="As `team/app`, separated by commas."
    )


class ImagesPurgeBody(_Search):
    images = serializers.ListField(
        child=serializers.CharField(max_length=255), default=list, help_text="As `team/app`."
    )
    preview_digest = serializers.CharField(
        max_length=64, help_text="`preview_digest` of the preview that is confirmed."
    )
    confirmation = serializers.CharField(
        max_length=255,
        help_text="As confirmation: the name of the image if it is one, of the namespace if all are of one, else "
        "the account’s handle.",
    )


class PurgeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    image = serializers.CharField(
        source="image.name",
        default="",
        allow_blank=True,
        help_text="Empty: several images, or the whole namespace.",
    )
    namespace = serializers.CharField(source="namespace.name")
    selected_image_count = serializers.IntegerField(
        source="chosen", help_text="How many images, where several were named; else 0."
    )
    state = serializers.ChoiceField(
        STATES,
        help_text="`emptied`: the namespace is deleted at `ends_at`, unless something is pushed or restored.",
    )
    requested_by = serializers.CharField()
    requested_at = Moment()
    ends_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)
    kept_manifest_count = serializers.IntegerField(
        source="kept", help_text="Left because of something that was pushed meanwhile."
    )
    problem = serializers.CharField(allow_blank=True)


class PurgesSerializer(serializers.Serializer[Any]):
    purges = PurgeSerializer(many=True, help_text="One of each namespace.")


class ImagesPurge(ApiView):
    @operation("purges_images_preview", answer=PurgePreviewSerializer, query=ImagesPurgeQuery)
    def get(self, request: Request, handle: str) -> Response:
        """Show what deleting these images, or all that match, and everything in them would do. Changes nothing."""
        account = account_permissions.account(self.by, handle)
        names = [word for word in (part.strip() for part in self.query["images"].split(",")) if word]
        selection = self._selection(account, self.query | {"images": names})
        return self.answer(_preview(account, selection.images()))

    @operation("purges_images_create", body=ImagesPurgeBody, answer=PurgesSerializer, status=202)
    def post(self, request: Request, handle: str) -> Response:
        """Request it, if it is still what the preview showed. It becomes a purge for each namespace."""
        account = account_permissions.account(self.by, handle, Permission.IMAGES_REMOVE)
        body = self.data()
        purges = purge_service.request_purges(
            by=self.by,
            selection=self._selection(account, body),
            preview_digest=body["preview_digest"],
            confirmation=body["confirmation"],
        )
        return self.answer({"purges": purges})

    def _selection(self, account: Account, body: dict[str, Any]) -> ImageSelection:
        if body["search"] is not None and body["images"]:
            raise Invalid.on("images", _("Give either images or a search, not both."))
        name = body["namespace"]
        namespace = permissions.namespace(self.by, account.handle, name) if name else None
        selection = ImageSelection(account, body["images"], namespace, body["search"])
        if selection.missing():
            raise NotFound
        return selection


class ImagePurge(ApiView):
    @operation("purges_image_preview", answer=PurgePreviewSerializer)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        """Show what deleting the image and everything in it would do. Changes nothing."""
        found = permissions.image(self.by, handle, name, image)
        return self.answer(_preview(found.namespace.account, purge_scope.images_of(found.namespace, found)))

    @operation("purges_image_create", body=PurgeBody, answer=PurgeSerializer, status=202)
    def post(self, request: Request, handle: str, name: str, image: str) -> Response:
        """Request it; the worker does it piece by piece, and the purge shows the progress."""
        found = permissions.image(self.by, handle, name, image, Permission.IMAGES_REMOVE)
        return self.answer(
            purge_service.request_purge(by=self.by, namespace=found.namespace, image=found, **self.data())
        )


class NamespacePurge(ApiView):
    @operation("purges_namespace_preview", answer=PurgePreviewSerializer)
    def get(self, request: Request, handle: str, name: str) -> Response:
        """Show what deleting the namespace with all its images would do. Changes nothing."""
        found = permissions.namespace(self.by, handle, name)
        return self.answer(_preview(found.account, purge_scope.images_of(found, None)))

    @operation("purges_namespace_create", body=PurgeBody, answer=PurgeSerializer, status=202)
    def post(self, request: Request, handle: str, name: str) -> Response:
        """Request it. The emptied namespace is deleted a day later; until then everything can be restored."""
        found = purge_service.load_deletable_namespace(self.by, handle, name)
        return self.answer(
            purge_service.request_purge(by=self.by, namespace=found, image=None, **self.data())
        )


class Purges(ApiView):
    @operation("purges_list", answer=PurgeSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, name: str) -> Response:
        namespace = permissions.namespace(self.by, handle, name)
        return self.page(
            Purge.objects.select_related("image", "namespace").filter(namespace=namespace).order_by("-id")
        )


class OnePurge(ApiView):
    @operation("purges_read", answer=PurgeSerializer)
    def get(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        return self.answer(purge_service.load(self.by, handle, name, id))


class StopPurge(ApiView):
    @operation("purges_stop", answer=PurgeSerializer)
    def post(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """Stop it: what the worker has not started is not done."""
        found = purge_service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE)
        return self.answer(purge_service.stop(by=self.by, purge=found))


class RestorePurge(ApiView):
    @operation("purges_restore", answer=PurgeSerializer, status=202)
    def post(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """Request that all it deleted is pushed again, as far as the registry still holds the layers."""
        found = purge_service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE)
        return self.answer(purge_service.restore(by=self.by, purge=found))


def _preview(account: Account, images: QuerySet[Image]) -> dict[str, Any]:
    found = purge_scope.preview(account, images, timezone.now())
    return {
        "image_count": len(found.images), "tag_count": found.tags, "technical_tag_count": found.technical_tags,
        "manifest_count": found.manifests,
        "unreadable_manifests": [f"{image.repository}@{each.digest}" for image, each in found.unreadable_manifests],
        "unreadable_repositories": [each.name for each in found.unreadable_repositories],
        "unrestorable_manifest_count": found.unrestorable_manifests,
        **asdict(found.space),
        "repositories_sharing_layers": found.repositories_sharing_layers, "recent_pulls": found.pullers,
        "blocked_reason": found.blocked_reason, "preview_digest": found.preview_digest,
    }  # fmt: skip
