"""Servers are restarted one after the other, under load and behind a proxy, and no request fails."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.load import restarts
from tests.parts import fixtures, postgres, proxies, team

pytestmark = [pytest.mark.contract, pytest.mark.long]
EACH = 2  # of both kinds; `make bench T=restarts` does 200


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    fixtures.need("postgresql")
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    with postgres.cluster() as database:
        folder = tmp_path_factory.mktemp("data")
        yield kept | {
            "DATA_DIR": str(folder),
            "DATABASE_URL": database.patient_url,
            "API_CALLS_PER_MINUTE": "0",
        }


@pytest.fixture(scope="module")
def login(env: Mapping[str, str]) -> restarts.Login:
    return restarts.Login(*team.make(env, new=True))


@pytest.fixture(scope="module")
def nodes(
    env: Mapping[str, str], login: restarts.Login, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[restarts.Node]]]:
    assert login
    with restarts.nodes(tmp_path_factory.mktemp("nodes"), env) as found:
        yield found


@pytest.mark.parametrize("proxy", proxies.OF_MACHINES)
def test_no_request_fails(
    proxy: str, nodes: dict[str, list[restarts.Node]], login: restarts.Login, tmp_path: Path
) -> None:
    fixtures.need(proxy.partition(" ")[0])
    with (
        restarts.behind(proxy, tmp_path / "proxy", nodes) as url,
        restarts.asked(url, restarts.requests_of(login)) as answers,
    ):
        for _seconds in restarts.roll(nodes, EACH):
            seen = answers.counts.total()
            nodes["web"][0].process.wait_until(
                lambda seen=seen: answers.counts.total() > seen + 50, "answers"
            )
    assert answers.failed == {}
    for kind in restarts.requests_of(login):
        assert answers.counts[kind, "200"] > 0, kind
