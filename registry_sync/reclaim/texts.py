"""What `manage.py reclaim` prints, for the terminal of an operator."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma

from accounts.common.amounts import amount
from accounts.models import Account
from accounts.templatetags.formatting import size
from registry_sync.inventory import uncollected
from registry_sync.models import Reclaim
from registry_sync.reclaim.walk import Walked

COMPOSE_REGISTRY = "http://registry:5000"  # as compose.yaml names it

PLAN_BY_MAKE_RUN = """\
What `manage.py reclaim --run` does:
  1. waits until nobody is pushing
  2. restarts the registry read-only: pushes and deletions are refused, pulls go on
  3. runs its garbage collection, and measures what that freed
  4. restarts it writable
  5. asks the registry for every manifest, layer and config that images need"""

BY_COMPOSE = """\
docker compose run --rm --no-deps prepare python manage.py init_data_dir --read-only
docker compose restart registry
docker compose exec web python manage.py reclaim --check \\
  && docker compose run --rm --no-deps registry garbage-collect /data/registry-config/registry.yml
docker compose run --rm --no-deps prepare
docker compose restart registry
docker compose exec web python manage.py reclaim --verify"""

BY_HAND = """\
# In the registry's configuration, of all its replicas: storage: maintenance: readonly: enabled: true
#   or in its environment: REGISTRY_STORAGE_MAINTENANCE_READONLY='{enabled: true}'
# Restart it. Then, where its configuration and storage are:
manage.py reclaim --check && registry garbage-collect /etc/distribution/config.yml
# Take the line out again. With a blobdescriptor cache in Redis, flush that database. Restart the registry.
manage.py reclaim --verify"""


def commands() -> str:
    return BY_COMPOSE if settings.REGISTRY_URL == COMPOSE_REGISTRY else BY_HAND


def bytes_of(size_bytes: int) -> str:
    return f"{size(size_bytes)} ({amount(size_bytes, 'byte', 'bytes')})"


def promise(promised: Mapping[str, int]) -> list[str]:
    """Of the registry's own count: what it would delete, and how much of that the panel knows."""
    blobs = amount(len(promised), "blob", "blobs")
    return [
        f"Garbage collection would free {bytes_of(sum(promised.values()))} in {blobs}.",
        *known(),
    ]


def known() -> list[str]:
    total = uncollected.total()
    lines = [f"Deleted in the panel, and still on the registry's disk: {bytes_of(total.size_bytes)}."]
    by_account = uncollected.by_account()
    handles = dict(Account.objects.filter(pk__in=by_account).values_list("pk", "handle"))
    largest = sorted(by_account.items(), key=lambda each: (-each[1], each[0]))
    lines += [
        f"  {handles.get(account, 'a deleted account')}: {size(each)}" for account, each in largest if each
    ]
    if len(lines) > 2:  # noqa: PLR2004
        lines.append("  What several accounts deleted counts in each.")
    return lines


def refused(reasons: Sequence[str]) -> list[str]:
    return ["Refused:", *(f"  - {reason}" for reason in reasons)]


def outcome(row: Reclaim) -> str:
    freed = (
        "Nobody measured what was freed" if row.freed_bytes is None else f"Freed {bytes_of(row.freed_bytes)}"
    )
    fits = (
        "as promised"
        if row.freed_bytes == row.promised_bytes
        else f"promised: {bytes_of(row.promised_bytes)}"
    )
    return f"{freed}; {fits}."


def walked(found: Walked) -> list[str]:
    lines = [f"Asked the registry for {intcomma(found.asked)} manifests, layers and configs."]
    if found.missing:
        lines.append(f"{amount(found.missing, 'is', 'are')} missing:")
        lines += [f"  {name}" for name in found.named]
    if found.unanswered:
        lines.append(
            f"{intcomma(found.unanswered)} got no answer ({found.problem}). Run it again with --verify."
        )
    if not (found.missing or found.unanswered):
        lines.append("None is missing.")
    return lines
