"""Tokens to try the registry with, and a stranger's."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from registry_sync.client import CATALOG
from registry_sync.doctor.observations import PanelSettings
from registry_sync.tokens import access_list, ca
from registry_sync.tokens.claims import build_claims
from registry_sync.tokens.issuer import PANEL_SUBJECT, PANEL_TOKEN_SECONDS, signer
from registry_sync.tokens.signing import Signer

# What stands in the examples that people copy.
_KNOWN_ISSUERS = (
    "registry-manager",
    "registry-token-issuer",
    "Acme auth server",
    "auth.docker.io",
    "Auth Service",
)


class ProbeTokens:
    """Made for the service and the issuer that the registry expects, so that one wrong line spoils one check only."""

    def __init__(self, service: str, issuer: str) -> None:
        self.service = service
        self.issuer = issuer

    def __call__(self, scope: str, *actions: str) -> str:
        """For registry_sync.client: `scope` is a repository or CATALOG; without actions: to pull."""
        entry = (
            access_list.CATALOG_ACCESS
            if scope == CATALOG
            else access_list.ResourceActions(
                type="repository", name=scope, actions=list(actions or ("pull",))
            )
        )
        return self.sign([entry])

    def sign(self, access: list[access_list.ResourceActions], by: Signer | None = None) -> str:
        payload = build_claims(
            issuer=self.issuer, service=self.service, subject=PANEL_SUBJECT, access=access,
            now=int(datetime.now(UTC).timestamp()), expires_in=PANEL_TOKEN_SECONDS, id=secrets.token_hex(16),
        )  # fmt: skip
        return (by or signer()).sign(payload)


def issuers(panel_settings: PanelSettings) -> list[str]:
    """Ours first; then what a registry may well have been set to instead."""
    public = urlsplit(panel_settings.public_url)
    guesses = (
        panel_settings.issuer,
        panel_settings.service,
        panel_settings.registry_host,
        public.netloc,
        str(public.hostname),
        panel_settings.public_url,
    )
    return list(dict.fromkeys([*guesses, *_KNOWN_ISSUERS]))


@contextmanager
def stranger() -> Iterator[Signer]:
    """Sign with an authority of its own that nobody trusts."""
    with tempfile.TemporaryDirectory() as folder:
        ca.ensure_keys(Path(folder), datetime.now(UTC))
        yield Signer(Path(folder))
