"""What would have allowed a denied request: the smallest grant, or what to do where no grant helps. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from namespaces.access import REQUIRED_LEVEL, AccessContext, Action, GrantSource, Level, UserStatus, decide

USUAL_LIFE = timedelta(days=7)  # of a grant that allows a denied request, unless somebody says otherwise


class RemedyKind(StrEnum):
    """What kind of thing has to be done so that the same request succeeds."""

    NOTHING = "nothing"  # it succeeds now
    GRANT = "grant"
    ENABLE_USER = "enable_user"
    EXTEND_USER = "extend_user"
    OPEN_ACCOUNT = "open_account"
    RESTORE_ACCOUNT = "restore_account"  # an operator suspended it
    SIGN_IN = "sign_in"  # with another password
    TRUST_POLICY = "trust_policy"  # change which ID tokens the user trusts
    CREATE_NAMESPACE = "create_namespace"
    OTHER_ACCOUNT = (
        "other_account"  # the namespace is another account's and public: only that account may give more
    )
    OTHER_NAME = "other_name"


@dataclass(frozen=True, slots=True)
class DeniedRepository:
    """A repository as it is for the user now. `own`: its namespace is of the user's account."""

    namespace: str
    image_name: str
    context: AccessContext
    own: bool


@dataclass(frozen=True, slots=True)
class ProposedGrant:
    """A level on one image. `replaces` is the level of the grant that is there, which this one raises, or NONE."""

    namespace: str
    image_name: str
    level: Level
    replaces: Level = Level.NONE

    @property
    def target(self) -> str:
        return f"{self.namespace}/{self.image_name}"


@dataclass(frozen=True, slots=True)
class Remedy:
    """`grants` are there for GRANT alone: one, or of a push that could not reuse layers one for each image."""

    kind: RemedyKind
    grants: tuple[ProposedGrant, ...] = ()


_OF_USER = {
    UserStatus.DISABLED: RemedyKind.ENABLE_USER,
    UserStatus.EXPIRED: RemedyKind.EXTEND_USER,
    UserStatus.ACCOUNT_CLOSED: RemedyKind.OPEN_ACCOUNT,
    UserStatus.ACCOUNT_SUSPENDED: RemedyKind.RESTORE_ACCOUNT,
}


def sign_in_remedy(
    user_status: UserStatus, *, wrong_password: bool = False, id_token: bool = False
) -> Remedy:
    """Return the remedy where the user was denied whatever it requested."""
    usual = RemedyKind.SIGN_IN if wrong_password else RemedyKind.NOTHING
    return Remedy(_OF_USER.get(user_status, RemedyKind.TRUST_POLICY if id_token else usual))


def remedy(
    action: Action | None, user_status: UserStatus, repositories: Sequence[DeniedRepository]
) -> Remedy:
    """Return the remedy for a request for `action` on each of `repositories`.

    An action of None, or no repository: nothing can have the name that was requested.
    """
    if user_status in _OF_USER:
        return Remedy(_OF_USER[user_status])
    if action is None or not repositories:
        return Remedy(RemedyKind.OTHER_NAME)
    denied = [each for each in repositories if not decide(each.context, action)]
    if not denied:
        return Remedy(RemedyKind.NOTHING)
    grants = tuple(_smallest(action, each) for each in denied if each.own)
    if grants:
        return Remedy(RemedyKind.GRANT, grants)
    missing = any(not each.context.namespace_exists for each in denied)
    return Remedy(RemedyKind.CREATE_NAMESPACE if missing else RemedyKind.OTHER_ACCOUNT)


def _smallest(action: Action, denied: DeniedRepository) -> ProposedGrant:
    """On the image: a grant on its namespace would give as much elsewhere, too."""
    on_image = [each.level for each in denied.context.grants if each.source is GrantSource.IMAGE]
    return ProposedGrant(
        denied.namespace, denied.image_name, REQUIRED_LEVEL[action], max(on_image, default=Level.NONE)
    )
