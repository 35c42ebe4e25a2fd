"""Whether the registry takes pushes, asked with one that is no manifest: it leaves nothing behind."""

from enum import StrEnum

from registry_sync import doctor
from registry_sync.client import RegistryClient, RegistryError, responses

_BAD_REQUEST, _NOT_ALLOWED = 400, 405
SECONDS = 5


class Writes(StrEnum):
    TAKEN = "taken"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # it does not answer, or otherwise than a registry does


def ask(registry: RegistryClient) -> Writes:
    try:
        token = registry.token_for(doctor.REPOSITORY, "pull", "push")
        path = responses.api_path(doctor.REPOSITORY, "manifests", "none")
        with registry.ask(
            path, {"Authorization": f"Bearer {token}"}, method="PUT", seconds=SECONDS
        ) as response:
            status = response.status_code
    except RegistryError:
        return Writes.UNKNOWN
    return {_BAD_REQUEST: Writes.TAKEN, _NOT_ALLOWED: Writes.REFUSED}.get(status, Writes.UNKNOWN)
