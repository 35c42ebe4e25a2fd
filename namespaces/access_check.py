"""May this user do this here, and who may: one repository, answered by `access.decide` from the rows as they are.

The caller has checked that the person may see the account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.common.errors import Invalid
from accounts.common.pagination import Page, paginate
from accounts.models import Account, Denial, RegistryUser
from namespaces import permissions, selectors
from namespaces.access import REQUIRED_LEVEL, AccessContext, Action, UserStatus, Verdict, decide
from namespaces.models import SERVED, Grant, Namespace
from namespaces.names import is_repository, split
from namespaces.smallest_grant import DeniedRepository, Remedy, remedy


@dataclass(frozen=True)
class AccessAnswer:
    """Whether `user` (None: not signed in) may do `action` to `repository`.

    `namespace` is None where the account's users meet none of that name. `grants` are the user's live ones that
    reach the repository, the highest level first.
    """

    user: RegistryUser | None
    action: Action
    repository: str
    namespace: Namespace | None
    context: AccessContext
    grants: Sequence[Grant] = ()

    @property
    def verdict(self) -> Verdict:
        return decide(self.context, self.action)

    @property
    def remedy(self) -> Remedy | None:
        """Return what would allow it; None where nobody is signed in, to whom anything could be given."""
        if not self.user:
            return None
        own = self.namespace is not None and self.namespace.account_id == self.user.account_id
        namespace_name, image_name = split(self.repository)
        denied = DeniedRepository(namespace_name, image_name, self.context, own)
        return remedy(self.action, self.context.user_status, [denied])

    @property
    def as_denial(self) -> Denial:
        """Return what would be noted of a user that is denied this; it is not stored."""
        return Denial(
            user=self.user,
            repository=self.repository,
            action=self.action.value,
            reason=self.verdict.reason,
            remedy=self.verdict.remedy,
        )

    @property
    def allowed_actions(self) -> list[Action]:
        return [action for action in Action if decide(self.context, action)]


@dataclass(frozen=True)
class WhoMay:
    """Who may do something to a repository.

    `everyone` is the answer for whoever is not signed in. `page` has the account's users whose own grants allow it,
    ordered by description, `users` the answer for each of them.
    """

    everyone: AccessAnswer
    page: Page[RegistryUser]
    users: list[AccessAnswer]


def check(account: Account, *, user: RegistryUser | None, action: Action, repository: str) -> AccessAnswer:
    """Answer as the token server would, in at most two statements. `user` is one of the account.

    The repository need not be pushed yet. Raise Invalid on "repository".
    """
    now, namespace = timezone.now(), _visible_namespace(account, repository)
    if user:
        return _answers(account, [user], namespace, action, repository, now)[0]
    return _for_anyone(namespace, action, repository, now)


def who_may(
    account: Account,
    *,
    action: Action,
    repository: str,
    cursor: str = "",
    query: dict[str, str] | None = None,
) -> WhoMay:
    """Say who may, in at most three statements. Raise Invalid on "repository" or "page"."""
    now, namespace = timezone.now(), _visible_namespace(account, repository)
    _namespace_name, image_name = split(repository)
    allowing = Grant.objects.live(now).filter(
        user=OuterRef("pk"),
        namespace=namespace,
        image_name__in=["", image_name],
        level__gte=REQUIRED_LEVEL[action],
    )
    users = RegistryUser.objects.filter(Exists(allowing), account=account, disabled_at=None)
    users = users.exclude(expires_at__lte=now).order_by("description", "id")
    page = paginate(users if namespace else users.none(), cursor=cursor, query=query)
    return WhoMay(
        everyone=_for_anyone(namespace, action, repository, now),
        page=page,
        users=_answers(account, page.rows, namespace, action, repository, now),
    )


def valid_repository(name: str) -> str:
    """Return `name`, namespace/image. Raise Invalid on "repository" for what no repository can be called."""
    if not is_repository(name):
        raise Invalid.on("repository", _("Enter a namespace and an image, such as team/api."))
    return name


def _visible_namespace(account: Account, repository: str) -> Namespace | None:
    """Return the namespace as the account's users meet it: their own, or a public one of another open account."""
    name, _image_name = split(valid_repository(repository))
    found = Namespace.objects.select_related("account").filter(SERVED, name=name)
    return permissions.as_users_meet(found.first(), account_id=account.pk)


def _for_anyone(namespace: Namespace | None, action: Action, repository: str, now: datetime) -> AccessAnswer:
    context = permissions.access_context([], namespace, UserStatus.ANONYMOUS, now)
    return AccessAnswer(None, action, repository, namespace, context)


def _answers(
    account: Account,
    users: Sequence[RegistryUser],
    namespace: Namespace | None,
    action: Action,
    repository: str,
    now: datetime,
) -> list[AccessAnswer]:
    grants: dict[int, list[Grant]] = {user.pk: [] for user in users}
    _namespace_name, image_name = split(repository)
    reaching = Grant.objects.live(now).filter(
        user__in=grants, namespace=namespace, image_name__in=["", image_name]
    )
    if namespace:
        for grant in reaching.select_related("user", "namespace__account").order_by("-level", "-image_name"):
            grants[grant.user_id].append(grant)
    found = []
    for user in users:
        user.account = account
        status, own = selectors.user_status_of(user, now), grants[user.pk]
        context = permissions.access_context(own, namespace, status, now)
        found.append(AccessAnswer(user, action, repository, namespace, context, own))
    return found
