"""What became of tags since a page was made: asked every second by each page in sight, so one cheap statement."""

from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import Account
from namespaces.models import Image, Namespace, TagMove

COUNTED_MAX = 500


@dataclass(frozen=True, slots=True)
class News:
    """Counts of tags that came, moved and went; `last` is the newest move counted."""

    last: int
    new: int = 0
    moved: int = 0
    gone: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.moved or self.gone)


def newest() -> int:
    """The id of the newest move of all, for a page to ask from."""
    return TagMove.objects.order_by("-id").values_list("id", flat=True).first() or 0


def since(moves: QuerySet[TagMove], id: int) -> News:  # noqa: A002
    """Each tag once, whatever it went through: what counts is where it was and where it is."""
    first: dict[tuple[int, str], str] = {}
    last: dict[tuple[int, str], str] = {}
    rows = moves.filter(id__gt=id).order_by("id").values_list("id", "image_id", "tag", "old", "new")
    for each, image, tag, old, new in rows[:COUNTED_MAX]:
        first.setdefault((image, tag), old)
        last[image, tag] = new
        id = each  # noqa: A001
    ways = [(bool(first[key]), bool(last[key])) for key in first if first[key] != last[key]]
    return News(
        id, new=ways.count((False, True)), moved=ways.count((True, True)), gone=ways.count((True, False))
    )


def of_image(image: Image) -> QuerySet[TagMove]:
    return TagMove.objects.filter(image__namespace=image.namespace, image__name=image.name)


def of_namespace(namespace: Namespace) -> QuerySet[TagMove]:
    return TagMove.objects.filter(image__namespace=namespace)


def of_account(account: Account) -> QuerySet[TagMove]:
    return TagMove.objects.filter(image__namespace__account=account)
