"""What a change of access would break."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import Ending, Moment, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid
from accounts.models import Account, RegistryUser
from accounts.roles import Permission
from namespaces.access import Level
from namespaces.api.grants import GRANTED
from namespaces.ledger import breakage
from namespaces.ledger.replay import AccessChange, GrantKey
from namespaces.models import Grant, Namespace

MOST = 500
IMAGES_MOST = 100


class _Names(serializers.ListField):
    def __init__(self, help_text: str) -> None:
        super().__init__(child=serializers.CharField(), default=list, max_length=MOST, help_text=help_text)


class GrantLevelBody(Strict):
    # SQLite is handed no greater number in a list.
    id = serializers.IntegerField(min_value=1, max_value=BigIntegerField.MAX_BIGINT)
    level = serializers.ChoiceField(GRANTED, allow_null=True, help_text="Null: the grant is removed.")


class GrantEndBody(Strict):
    id = serializers.IntegerField(min_value=1, max_value=BigIntegerField.MAX_BIGINT)
    expires_at = Ending()


class UserEndBody(Strict):
    username = serializers.CharField()
    expires_at = Ending()


class AccessPreviewBody(Strict):
    grants = serializers.ListField(child=GrantLevelBody(), default=list, max_length=MOST)
    blocked_users = _Names("Usernames of users that are disabled or deleted.")
    private_namespaces = _Names("Namespaces that become private.")
    deleted_namespaces = _Names("Namespaces that are deleted.")
    close_account = serializers.BooleanField(default=False, help_text="Whether the account is closed.")
    grant_ends = serializers.ListField(
        child=GrantEndBody(),
        default=list,
        max_length=MOST,
        help_text="New ends of grants. Those that are set or brought forward are judged as if they had come.",
    )
    user_ends = serializers.ListField(
        child=UserEndBody(), default=list, max_length=MOST, help_text="The same of users."
    )


class RefusedCallerSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["user", "anonymous", "other_accounts"])
    username = serializers.CharField(
        source="user.username", default="", help_text="Empty where `kind` is not `user`."
    )
    description = serializers.CharField(source="user.description", default="")
    callers = serializers.IntegerField(help_text="How many users of other accounts; else 1.")
    pulls = serializers.IntegerField(help_text="That the registry reported.")
    pushes = serializers.IntegerField(help_text="That the registry reported.")
    token_requests = serializers.IntegerField(
        source="requests", help_text="For images that it did not pull from or push to."
    )
    image_count = serializers.SerializerMethodField()
    images = serializers.SerializerMethodField(help_text="As `team/api`, the last used first; at most 100.")
    last_at = Moment(help_text="Of the last pull or push; without one, of the last token.")

    def get_image_count(self, caller: breakage.RefusedCaller) -> int:
        return len(caller.images)

    def get_images(self, caller: breakage.RefusedCaller) -> list[str]:
        return list(caller.images[:IMAGES_MOST])


class AccessPreviewSerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField(help_text="How far back requests are kept.")
    callers = serializers.IntegerField(help_text="That were allowed in where the change reaches.")
    refused = serializers.IntegerField(help_text="How many of them would lose something.")
    confirmed = serializers.IntegerField(help_text="How many of these really pulled or pushed.")
    starts_at = Moment(
        allow_null=True,
        help_text="The first of the ends, at which all is judged, if nothing but ends was given; null: at once.",
    )
    results = RefusedCallerSerializer(
        source="listed", many=True, help_text="At most 20: those that pulled or pushed, the last one first."
    )


class AccessPreview(ApiView):
    @operation("access_preview", body=AccessPreviewBody, answer=AccessPreviewSerializer)
    def post(self, request: Request, handle: str) -> Response:
        """Say who would be refused after a change, going by the requests of the last days. Changes nothing."""
        account = account_permissions.account(self.by, handle, Permission.GRANTS_MANAGE)
        body = self.data()
        grants, grant_moments = _ended_grants(account, body["grant_ends"])
        users, user_moments = _ended_users(account, body["user_ends"])
        at_once = AccessChange(
            levels=_levels(account, body["grants"]),
            users=_users(account, body["blocked_users"]),
            private=_namespaces(account, body["private_namespaces"], "private_namespaces"),
            deleted=_namespaces(account, body["deleted_namespaces"], "deleted_namespaces"),
            closed=frozenset({account.pk} if body["close_account"] else ()),
        )
        moments = [*grant_moments, *user_moments] if at_once == AccessChange() else []
        change = replace(
            at_once,
            levels={**at_once.levels, **dict.fromkeys(grants, Level.NONE)},
            users=at_once.users | users,
        )
        starts_at = max(min(moments), timezone.now()) if moments else None
        return self.answer(breakage.of_change(account, change, starts_at=starts_at))


def _levels(account: Account, wanted: list[dict[str, Any]]) -> dict[GrantKey, Level]:
    levels = {each["id"]: Level.of(each["level"]) if each["level"] else Level.NONE for each in wanted}
    found = Grant.objects.filter(namespace__account=account).in_bulk(list(levels))
    if missing := levels.keys() - found.keys():
        raise Invalid.on("grants", _("There is no grant %(id)s in this account.") % {"id": min(missing)})
    now = timezone.now()
    return {breakage.key_of(grant): levels[id] for id, grant in found.items() if grant.is_live(now)}  # noqa: A001


def _ended_grants(account: Account, wanted: list[dict[str, Any]]) -> tuple[list[GrantKey], list[datetime]]:
    """Return those that end earlier than so far, and when."""
    ends = {each["id"]: each["expires_at"] for each in wanted}
    found = Grant.objects.filter(namespace__account=account).in_bulk(list(ends))
    if missing := ends.keys() - found.keys():
        raise Invalid.on("grant_ends", _("There is no grant %(id)s in this account.") % {"id": min(missing)})
    earlier = [grant for id, grant in found.items() if breakage.is_earlier(ends[id], grant.expires_at)]  # noqa: A001
    return [breakage.key_of(grant) for grant in earlier], [ends[grant.pk] for grant in earlier]


def _ended_users(account: Account, wanted: list[dict[str, Any]]) -> tuple[set[int], list[datetime]]:
    """Return those that end earlier than so far, and when."""
    ends = {each["username"]: each["expires_at"] for each in wanted}
    found = {user.username: user for user in RegistryUser.objects.filter(account=account, username__in=ends)}
    if missing := ends.keys() - found.keys():
        words = _("There is no user “%(name)s” in this account.") % {"name": min(missing)[:100]}
        raise Invalid.on("user_ends", words)
    earlier = [user for user in found.values() if breakage.is_earlier(ends[user.username], user.expires_at)]
    return {user.pk for user in earlier}, [ends[user.username] for user in earlier]


def _users(account: Account, names: list[str]) -> frozenset[int]:
    rows = RegistryUser.objects.filter(account=account, username__in=names)
    found = dict(rows.values_list("username", "pk"))
    if missing := set(names) - found.keys():
        words = _("There is no user “%(name)s” in this account.") % {"name": min(missing)[:100]}
        raise Invalid.on("blocked_users", words)
    return frozenset(found.values())


def _namespaces(account: Account, names: list[str], field: str) -> frozenset[int]:
    rows = Namespace.objects.filter(account=account, name__in=names)
    found = dict(rows.values_list("name", "pk"))
    if missing := set(names) - found.keys():
        words = _("There is no namespace “%(name)s” in this account.") % {"name": min(missing)[:100]}
        raise Invalid.on(field, words)
    return frozenset(found.values())
