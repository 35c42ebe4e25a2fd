"""What the tests of removals share: an inventory of a real registry, a person who asks, and a worker."""

from dataclasses import dataclass

import requests

from accounts.principal import Principal
from namespaces.models import Image, Tag
from registry_sync.client import RegistryClient, Timing
from registry_sync.client.responses import MANIFEST_TYPES
from registry_sync.client.timing import USUAL
from registry_sync.deletion import service
from registry_sync.deletion.worker import work_due
from registry_sync.models import Removal
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from registry_sync.retention import run_result
from tests import factories
from tests.cast import principal_of
from tests.contract.conftest import bearer
from tests.parts.registries import RunningRegistry


@dataclass
class Place:
    """A registry whose inventory is known, and the repository team/app in it."""

    registry: RunningRegistry
    by: Principal
    timing: Timing = USUAL

    def client(self) -> RegistryClient:
        return RegistryClient(self.registry.url, PanelTokens(), timing=self.timing)

    def sync(self) -> None:
        run = reconcile(self.client())
        assert run
        assert run.state == "done", run.problem

    def sync_anyway(self) -> None:
        assert reconcile(self.client())

    def work(self, registry: RegistryClient | None = None) -> None:
        work_due(registry or self.client())
        run_result.finish_completed()

    def image(self) -> Image:
        return Image.objects.select_related("namespace__account").get(name="app")

    def tags(self) -> dict[str, str]:
        """As the inventory has them."""
        return dict(Tag.objects.filter(image__name="app").values_list("name", "manifest_id"))

    def points_at(self, reference: str) -> str:
        """As the registry has it; "" when it has it not."""
        answer = requests.get(
            f"{self.registry.url}/v2/team/app/manifests/{reference}",
            headers=bearer("team/app", "pull") | {"Accept": MANIFEST_TYPES},
            timeout=120,
        )
        assert answer.status_code in (200, 404), answer.text
        return answer.headers["Docker-Content-Digest"] if answer.ok else ""

    def untag(self, *tags: str) -> Removal:
        seen = self.tags()
        return service.untag(by=self.by, image=self.image(), tags={tag: seen[tag] for tag in tags})

    def delete(self, *tags: str) -> Removal:
        image = self.image()
        told = service.preview(image, tags=tags).preview_digest
        return service.delete(
            by=self.by, image=image, tags=tags, digests=(), preview_digest=told, confirmation="app"
        )

    def restore(self, tag: str, digest: str) -> Removal:
        seen = self.tags().get(tag, "")
        return service.restore(by=self.by, image=self.image(), tag=tag, digest=digest, expected_digest=seen)


def place(registry: RunningRegistry, timing: Timing = USUAL) -> Place:
    member = factories.MemberFactory(person__email="owner@example.com")
    factories.NamespaceFactory(name="team", account=member.account)
    return Place(registry, principal_of(member.person), timing)


def ends(removal: Removal) -> tuple[str, list[str]]:
    removal.refresh_from_db()
    return removal.state, list(removal.items.order_by("id").values_list("outcome", flat=True))
