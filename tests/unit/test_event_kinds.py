"""What an event asks of the inventory."""

from typing import Any

import pytest

from registry_sync.events.kinds import BLOB, Kind, kind_of

PUSH = {
    "action": "push",
    "media_type": "application/vnd.oci.image.manifest.v1+json",
    "repository": "team/app",
    "tag": "1.0",
    "digest": f"sha256:{1:064}",
    "applied": False,
}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, Kind.PUSH),
        ({"applied": True}, Kind.CONFIRMATION),
        ({"tag": ""}, Kind.UNTAGGED_PUSH),
        ({"tag": "no tag!", "applied": True}, Kind.UNTAGGED_PUSH),
        ({"action": "delete", "digest": ""}, Kind.DELETION),
        ({"action": "mount"}, Kind.NOTHING),
        ({"digest": "sha256:short"}, Kind.NOTHING),
        ({"media_type": BLOB}, Kind.NOTHING),
        ({"repository": "Not/A/Repository"}, Kind.NOTHING),
    ],
)
def test_is_told_by_its_fields(fields: dict[str, Any], kind: Kind) -> None:
    assert kind_of(**(PUSH | fields)) is kind
