"""A pod's image is pulled with what the documented credential provider answers, by containerd's client and by crane.

Two clusters have the same issuer, as they do; their pasted keys tell them apart.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.test_kubelet_plugin import ANNOTATION, asked, write
from tests.e2e.conftest import Installation, standalone
from tests.parts import engines, fixtures, team
from tests.parts.id_token_claims import kubernetes
from tests.parts.id_token_issuer import IdTokenIssuer
from tests.parts.push_clients import Crane, Ctr, PushClient, Skopeo

pytestmark = pytest.mark.clients
ISSUER = "https://kubernetes.default.svc.cluster.local"
IMAGE = "cluster/app:1"

WORLD = """
import json
from accounts.models import IdTokenIssuer, Person
from accounts.views.request import principal_for
from accounts.services import accounts, trust_policies, users
from namespaces.services import grants, namespaces
by = principal_for(Person.objects.create_user("nodes@example.com"), {})
account = accounts.open_account(by=by, name="Cluster")
space = namespaces.create(by=by, account=account, name="cluster")
rules = {"kubernetes.io.namespace": {"is": ["payments"]}}
made = []
for name, keys in json.loads(%r).items():
    issuer = IdTokenIssuer.objects.create(
        url=%r, account=account, name=name, pasted_jwks=keys, preset="kubernetes"
    )
    user, _none = users.create(by=by, account=account, description=name, expires_at=None, with_password=False)
    grants.give(by=by, namespace=space, user=user, level="read")
    trust_policies.create(by=by, user=user, issuer=issuer, rules=rules)
    made.append(user.username)
pusher, password = users.create(by=by, account=account, description="CI", expires_at=None)
grants.give(by=by, namespace=space, user=pusher, level="write")
print("MADE", *made, pusher.username, password)
"""


@dataclass(frozen=True)
class Cluster:
    """A cluster, and the registry user that its pods are."""

    installation: Installation
    signs: IdTokenIssuer
    username: str
    script: Path

    def credentials(self, username: str = "", namespace: str = "payments") -> tuple[str, str]:
        """What the kubelet is answered for a pod: username and password."""
        claims = kubernetes(iss=ISSUER)
        claims["kubernetes.io"] |= {"namespace": namespace}
        answer = asked(
            self.script,
            image=f"{self.installation.registry}/{IMAGE}",
            serviceAccountToken=self.signs.sign(claims, audience=[self.installation.panel], lifetime=3600),
            serviceAccountAnnotations={ANNOTATION: username or self.username},
        )
        auth = answer["auth"][self.installation.registry]
        return auth["username"], auth["password"]


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Cluster]]:
    fixtures.need(*Skopeo.parts)
    folder = tmp_path_factory.mktemp("clusters")
    script = write(folder)
    with (
        IdTokenIssuer(folder / "issuer") as first,
        IdTokenIssuer(folder / "issuer") as second,
        standalone(folder) as installation,
    ):
        env = os.environ | installation.environment
        keys = json.dumps({"first": first.jwks, "second": second.jwks})
        told = team.shell(env, WORLD % (keys, ISSUER)).split("MADE ")[1].split()
        pusher = Skopeo(installation.registry, folder / "skopeo")
        assert pusher.login(*told[2:]).ok
        assert pusher.push(IMAGE).ok
        yield Cluster(installation, first, told[0], script), Cluster(installation, second, told[1], script)


@pytest.fixture(params=[Ctr, Crane], ids=["ctr", "crane"])
def client(request: pytest.FixtureRequest, clusters: tuple[Cluster, Cluster], tmp_path: Path) -> PushClient:
    kind: type[PushClient] = request.param
    fixtures.need(*kind.parts, root=bool(kind.engine_fixture))
    engine: engines.Engine | None = (
        request.getfixturevalue(kind.engine_fixture) if kind.engine_fixture else None
    )
    return kind(clusters[0].installation.registry, tmp_path, engine)


def test_a_pod_pulls_without_a_stored_password(clusters: tuple[Cluster, Cluster], client: PushClient) -> None:
    for cluster in clusters:
        assert client.login(*cluster.credentials()).ok
        pulled = client.pull(IMAGE)
        assert pulled.ok, pulled.printed


def test_a_pod_does_not_push(clusters: tuple[Cluster, Cluster], client: PushClient) -> None:
    client.login(*clusters[0].credentials())
    assert not client.push("cluster/other:1").ok


@pytest.mark.parametrize("wrong", ["another cluster", "another namespace"])
def test_a_pod_of_elsewhere_does_not_pull(
    clusters: tuple[Cluster, Cluster], client: PushClient, wrong: str
) -> None:
    ours, other = clusters
    given = (
        other.credentials(ours.username)
        if wrong == "another cluster"
        else ours.credentials(namespace="sandbox")
    )
    client.login(*given)
    assert not client.pull(IMAGE).ok
