"""Deleting images, or a namespace, with all in them, and putting that back."""

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
from registry_sync.deletion.purge_selection import Choice
from registry_sync.models import Purge

STATES = [state.value for state in Purge.State]


class WholeImpactSerializer(serializers.Serializer[Any]):
    images = serializers.IntegerField()
    tags = serializers.IntegerField(help_text="Those that people gave.")
    technical = serializers.IntegerField(help_text="Those that tools made of digests.")
    manifests = serializers.IntegerField()
    unreadable = serializers.ListField(
        child=serializers.CharField(),
        help_text="Manifests that cannot be read: they go first, and hold the rest.",
    )
    troubled = serializers.ListField(
        child=serializers.CharField(),
        help_text="Repositories that could not be read whole in the last check.",
    )
    for_good = serializers.IntegerField(help_text="Manifests that cannot be put back.")
    freed = serializers.IntegerField(help_text="Bytes at most, after the registry’s garbage collection.")
    sharers = serializers.ListField(
        child=serializers.CharField(),
        help_text="Repositories of the account that share layers with it; some.",
    )
    pulled = RecentPullerSerializer(many=True, help_text="By whom within 30 days.")
    refused = serializers.CharField(allow_blank=True, help_text="Why it cannot be done; empty: it can.")
    preview_digest = serializers.CharField(help_text="To be sent along when this is asked for.")


class PurgeBody(Strict):
    preview_digest = serializers.CharField(
        max_length=64, help_text="`preview_digest` of the impact that is agreed to."
    )
    confirmation = serializers.CharField(
        max_length=255, help_text="The name of the image, or of the namespace, as confirmation."
    )


class _Search(Strict):
    search = serializers.CharField(
        default=None, allow_null=True, allow_blank=True, max_length=SEARCH_MAX,
        help_text=f"Instead: all images that match, at most {settings.MATCHING_MAX:,}; empty: all.",
    )  # fmt: skip
    namespace = serializers.CharField(
        default="", allow_blank=True, max_length=255, help_text="With `search`: only those of this namespace."
    )


class SomeQuery(_Search):
    images = serializers.CharField(
        default="", allow_blank=True, max_length=30_000, help_text="As `team/app`, with commas between."
    )


class SomeBody(_Search):
    images = serializers.ListField(
        child=serializers.CharField(max_length=255), default=list, help_text="As `team/app`."
    )
    preview_digest = serializers.CharField(
        max_length=64, help_text="`preview_digest` of the impact that is agreed to."
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
        help_text="Empty: what was `chosen`, else the whole namespace.",
    )
    namespace = serializers.CharField(source="namespace.name")
    chosen = serializers.IntegerField(help_text="How many images, where several were chosen; else 0.")
    state = serializers.ChoiceField(
        STATES,
        help_text="`emptied`: the namespace goes at `ends_at`, unless something is pushed or put back. `returning`: it "
        "is being put back; `back`: it is.",
    )
    requested_by = serializers.CharField()
    requested_at = Moment()
    ends_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)
    kept = serializers.IntegerField(
        help_text="Manifests left because of something that was pushed meanwhile."
    )
    problem = serializers.CharField(allow_blank=True)


class PurgesSerializer(serializers.Serializer[Any]):
    purges = PurgeSerializer(many=True, help_text="One of each namespace.")


class SomePurge(ApiView):
    @operation("purges_images_impact", answer=WholeImpactSerializer, query=SomeQuery)
    def get(self, request: Request, handle: str) -> Response:
        """Say what deleting these images, or all that match, with all in them would do. Changes nothing."""
        account = account_permissions.account(self.by, handle)
        names = [word for word in (part.strip() for part in self.query["images"].split(",")) if word]
        choice = self._choice(account, self.query | {"images": names})
        return self.answer(_outlook(account, choice.images()))

    @operation("purges_images_ask", body=SomeBody, answer=PurgesSerializer, status=202)
    def post(self, request: Request, handle: str) -> Response:
        """Asks for it, if it is still what the preview showed. Of each namespace it becomes a purge."""
        account = account_permissions.account(self.by, handle, Permission.IMAGES_REMOVE)
        body = self.data()
        asked = purge_service.ask_for_some(
            by=self.by,
            choice=self._choice(account, body),
            preview_digest=body["preview_digest"],
            confirmation=body["confirmation"],
        )
        return self.answer({"purges": asked})

    def _choice(self, account: Account, of: dict[str, Any]) -> Choice:
        if of["search"] is not None and of["images"]:
            raise Invalid.on("images", _("Name images or a search, not both."))
        name = of["namespace"]
        namespace = permissions.namespace(self.by, account.handle, name) if name else None
        choice = Choice(account, of["images"], namespace, of["search"])
        if choice.gone():
            raise NotFound
        return choice


class ImagePurge(ApiView):
    @operation("purges_image_impact", answer=WholeImpactSerializer)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        """Show what deleting the image with all in it would do. Changes nothing."""
        found = permissions.image(self.by, handle, name, image)
        return self.answer(_outlook(found.namespace.account, purge_scope.images(found.namespace, found)))

    @operation("purges_image_ask", body=PurgeBody, answer=PurgeSerializer, status=202)
    def post(self, request: Request, handle: str, name: str, image: str) -> Response:
        """Ask for it; the worker does it piece by piece, and the purge tells how far it is."""
        found = permissions.image(self.by, handle, name, image, Permission.IMAGES_REMOVE)
        return self.answer(
            purge_service.ask(by=self.by, namespace=found.namespace, image=found, **self.data())
        )


class NamespacePurge(ApiView):
    @operation("purges_namespace_impact", answer=WholeImpactSerializer)
    def get(self, request: Request, handle: str, name: str) -> Response:
        """Say what deleting the namespace with all its images would do. Changes nothing."""
        found = permissions.namespace(self.by, handle, name)
        return self.answer(_outlook(found.account, purge_scope.images(found, None)))

    @operation("purges_namespace_ask", body=PurgeBody, answer=PurgeSerializer, status=202)
    def post(self, request: Request, handle: str, name: str) -> Response:
        """Ask for it. The emptied namespace goes a day later; until then all of it can be put back."""
        found = purge_service.may_ask(self.by, handle, name)
        return self.answer(purge_service.ask(by=self.by, namespace=found, image=None, **self.data()))


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
        """Stop it: what the worker has not begun is not done."""
        found = purge_service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE)
        return self.answer(purge_service.stop(by=self.by, purge=found))


class PutBack(ApiView):
    @operation("purges_back", answer=PurgeSerializer, status=202)
    def post(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """Ask that all it deleted is pushed again, as far as the registry still holds the layers."""
        found = purge_service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE)
        return self.answer(purge_service.put_back(by=self.by, purge=found))


def _outlook(account: Account, images: QuerySet[Image]) -> dict[str, Any]:
    found = purge_scope.outlook(account, images, timezone.now())
    return {
        "images": len(found.lines), "tags": found.tags, "technical": found.technical, "manifests": found.manifests,
        "unreadable": [f"{image.repository}@{each.digest}" for image, each in found.unread],
        "troubled": [each.name for each in found.troubled], "for_good": found.for_good,
        "freed": found.freed, "sharers": found.sharers, "pulled": found.pullers,
        "refused": found.refused, "preview_digest": found.preview_digest,
    }  # fmt: skip
