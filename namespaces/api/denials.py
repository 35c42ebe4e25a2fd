"""Requests that the token server denied, and the grants that would have allowed them."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, Ending, Moment, PageQuery, SearchQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Conflict, Invalid
from accounts.selectors import denials_of
from accounts.templatetags.formatting import word
from namespaces import denial_list, grant_text, permissions, selectors
from namespaces.access import Level
from namespaces.api.grants import GRANTED, GrantSerializer
from namespaces.denial_list import DenialFilter
from namespaces.denial_recheck import current_remedy, with_current_decision
from namespaces.services import grants
from namespaces.smallest_grant import USUAL_LIFE, RemedyKind

LEVELS = [level.word for level in Level]
REMEDIES = [kind.value for kind in RemedyKind]


class ProposedGrantSerializer(serializers.Serializer[Any]):
    namespace = serializers.CharField()
    image = serializers.CharField(source="image_name")
    level = serializers.ChoiceField(GRANTED, source="level.word")
    replaces = serializers.ChoiceField(
        LEVELS, source="replaces.word", help_text="The level of the grant on this image that it would raise."
    )


class DenialSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField(source="user.username")
    repository = serializers.CharField(
        allow_blank=True, help_text="Empty, as `action`: the user was denied whatever it requested."
    )
    action = serializers.CharField(
        allow_blank=True,
        help_text="`pull`, `push`, `delete`; `id_token`: the login by an ID token; `mount`: a push to `repository` "
        "was allowed, and may not reuse layers of `mount_sources`; `list`: of the whole registry.",
    )
    mount_sources = serializers.ListField(
        source="source_names",
        child=serializers.CharField(),
        help_text="Other images whose layers the same push was not allowed to reuse; at most 20.",
    )
    reason = serializers.CharField()
    remedy = serializers.CharField(help_text="What would change it.")
    denial_count = serializers.IntegerField(source="count")
    first_denied_at = Moment(source="first_at")
    last_denied_at = Moment(source="last_at")
    client_ip = serializers.CharField(source="address", allow_blank=True)
    client = serializers.CharField(allow_blank=True)
    allowed_now = serializers.BooleanField(help_text="The same request would be allowed now.")
    remedy_kind = serializers.ChoiceField(
        REMEDIES,
        source="current_remedy.kind.value",
        help_text="What would allow it now. `nothing`: it is allowed; `grant`: `proposed_grants`, as `denials_allow` "
        "gives them; `sign_in`: the right password; "
        "`trust_policy`: another trust policy; `other_account`: the namespace is another account’s.",
    )
    proposed_grants = ProposedGrantSerializer(
        many=True,
        source="current_remedy.grants",
        help_text="The smallest that would allow it; of `mount` one for each image.",
    )


class DenialsQuery(SearchQuery):
    user = serializers.CharField(default="", allow_blank=True, max_length=SEARCH_MAX, help_text="A username.")
    namespace = serializers.CharField(default="", allow_blank=True, max_length=SEARCH_MAX)
    repository = serializers.CharField(
        default="", allow_blank=True, max_length=SEARCH_MAX, help_text="`namespace/image`, all of it."
    )
    action = serializers.ChoiceField(
        denial_list.ACTIONS,
        default="",
        allow_blank=True,
        help_text="`sign-in`: the user was denied whatever it requested.",
    )
    kind = serializers.ChoiceField(
        denial_list.KINDS,
        default="",
        allow_blank=True,
        help_text="Why: `level` no sufficient grant; `namespace` no such namespace; `name` no image can have the name; "
        "`user` disabled or expired; `password` wrong; `mount` layers could not be reused.",
    )
    allowed_now = serializers.ChoiceField(denial_list.ANSWERS, default="", allow_blank=True)
    sort = serializers.ChoiceField(denial_list.SORTS, default=denial_list.NEWEST)


class AllowBody(Strict):
    """What is not given is the smallest: the level that the request needs, on its image."""

    level = serializers.ChoiceField(GRANTED, required=False, help_text="At least what the request needs.")
    whole_namespace = serializers.BooleanField(
        default=False, help_text="On every image of the namespace, not only on the one requested."
    )
    expires_at = Ending(
        required=False,
        help_text="A moment, or a day: until 24:00 of it in the panel’s time zone. Null: never. Not given: in 7 days, "
        "or as the live grant on the same that it replaces; of several, as the last.",
    )


class AllowedSerializer(serializers.Serializer[Any]):
    grants = GrantSerializer(many=True)


class Denials(ApiView):
    @operation("denials_list", answer=DenialSerializer, pages=True, query=DenialsQuery)
    def get(self, request: Request, handle: str) -> Response:
        """List the denied requests of the account’s users: the last 100 of each user, 5,000 of the account."""
        account, query = account_permissions.account(self.by, handle), self.query
        chosen = DenialFilter(
            search=query["search"],
            username=query["user"],
            namespace=query["namespace"],
            repository=query["repository"],
            action=query["action"],
            kind=query["kind"],
            allowed=query["allowed_now"],
        )
        found = denial_list.find_denials(account, chosen, sort=query["sort"])
        return self.page(found, shown=with_current_decision)


class AllowDenied(ApiView):
    @operation("denials_allow", body=AllowBody, answer=AllowedSerializer)
    def post(self, request: Request, handle: str, id: int) -> Response:  # noqa: A002
        """Give the smallest grants that allow the denied request. A conflict where no grant helps."""
        denial = permissions.denial(self.by, handle, id)
        remedy, data = current_remedy(denial), self.data()
        if remedy.kind is not RemedyKind.GRANT:
            raise Conflict.on("", grant_text.why_no_grant(remedy.kind))
        needed = max(each.level for each in remedy.grants)
        level = Level.of(data["level"]) if "level" in data else needed
        if level < needed:
            raise Invalid.on(
                "level", _("The request needs at least %(level)s.") % {"level": word(needed.word)}
            )
        whole = data["whole_namespace"]
        names = dict.fromkeys(each.namespace if whole else each.target for each in remedy.grants)
        now = timezone.now()
        ends = [each.expires_at for each in selectors.live_grants_at(denial.user, names, now)]
        lasting = None if None in ends else max(filter(None, ends), default=now + USUAL_LIFE)
        given = grants.allow(
            by=self.by,
            user=denial.user,
            targets=permissions.targets(self.by, handle, list(names)),
            level=level.word,
            expires_at=data.get("expires_at", lasting),
        )
        return self.answer({"grants": given})


class UserDenials(ApiView):
    @operation("users_denials", answer=DenialSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, username: str) -> Response:
        """List the user’s denied requests, and why; one row for each image and action."""
        return self.page(
            denials_of(account_permissions.user(self.by, handle, username)), shown=with_current_decision
        )
