"""What other tools than docker push: a signature, an SBOM, a Helm chart; with contents that nobody should trust."""

import json
from typing import Any

from manager.demo.push_client import CONFIG, INDEX, MANIFEST, Pusher, descriptor

EMPTY = "application/vnd.oci.empty.v1+json"
SPDX = "application/spdx+json"
TITLE = "org.opencontainers.image.title"


def hang_onto(pusher: Pusher, subject: dict[str, Any]) -> None:
    """As cosign and oras do where a registry has no referrers API: under tags that name the digest."""
    named = subject["digest"].replace(":", "-", 1)
    payload = pusher.blob("application/vnd.dev.cosign.simplesigning.v1+json", b'{"critical": "demo"}')
    pusher.manifest(_manifest(pusher.blob(CONFIG, b"{}"), payload), f"{named}.sig")
    bill = pusher.blob(SPDX, b'{"spdxVersion": "SPDX-2.3", "name": "demo"}')
    about = _manifest(
        pusher.blob(EMPTY, b"{}"),
        bill | {"annotations": {TITLE: "sbom.spdx.json"}},
        artifactType=SPDX,
        subject=subject,
    )
    pusher.manifest(about)
    listed = descriptor(MANIFEST, json.dumps(about).encode()) | {"artifactType": SPDX}
    pusher.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]}, named)


def push_chart(pusher: Pusher, name: str) -> None:
    for version in ("1.2.0", "1.3.0"):
        chart = {
            "apiVersion": "v2", "name": name, "version": version, "appVersion": "2.0", "type": "application",
            "description": "The shop's web front.", "home": "https://example.com/shop", "keywords": ["shop"],
            "maintainers": [{"name": "Harbour Street"}],
            "dependencies": [{"name": "redis", "version": "20.x", "repository": "oci://example.com/charts"}],
        }  # fmt: skip
        config = pusher.blob("application/vnd.cncf.helm.config.v1+json", json.dumps(chart).encode())
        files = pusher.blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", version.encode())
        notes = {TITLE: name, "org.opencontainers.image.source": "https://example.com/shop"}
        pusher.manifest(_manifest(config, files, annotations=notes), version)


def _manifest(config: dict[str, Any], *layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": list(layers)} | more
