"""A manifest with a digest of its own, pushed under a tag and deleted with it. PURE.

Distribution 2.8 cannot remove a tag alone: deleting the digest removes every tag that points at it.
"""

import hashlib
import json
from dataclasses import dataclass

MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The same `nonce` always gives the same bytes, so that another worker can continue where one died."""

    nonce: str

    @property
    def config(self) -> bytes:
        text: dict[str, object] = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": []},
        }
        return _bytes(text | {"comment": f"This tag is being removed ({self.nonce})."})

    @property
    def config_digest(self) -> str:
        return _digest(self.config)

    @property
    def manifest(self) -> bytes:
        config = {"mediaType": CONFIG_TYPE, "digest": self.config_digest, "size": len(self.config)}
        return _bytes({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": config, "layers": []})

    @property
    def digest(self) -> str:
        return _digest(self.manifest)


def _bytes(document: dict[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
