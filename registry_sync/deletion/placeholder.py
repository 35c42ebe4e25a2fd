"""A manifest that nobody else has, to be put in a tag's place and deleted: PURE.

Distribution 2.8 cannot remove a tag alone, and deleting the digest would take every tag that shares it.
"""

import hashlib
import json
from dataclasses import dataclass

MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The same `nonce` always gives the same bytes, so that another worker can go on where one died."""

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
