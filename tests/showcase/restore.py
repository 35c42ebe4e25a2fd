"""Nothing is left of the panel but one archive, and a passphrase from elsewhere."""

import json

from tests.showcase import push
from tests.showcase.installation import OURS, REPOSITORY, Installation
from tests.showcase.told import demand, say

# The audit log is sealed once an hour.
SEAL = """
from datetime import timedelta
from django.utils import timezone
from accounts import audit_chain
print("SEALED", bool(audit_chain.seal(now=timezone.now() + timedelta(hours=2))))
"""
TAGS = """
import json
from namespaces.models import Tag
print("FOUND", json.dumps(dict(Tag.objects.filter(missing_since=None).values_list("name", "manifest_id"))))
"""


def show(at: Installation) -> None:
    image = push.push(at, "2.0.0", b"second")
    at.until(lambda: tags(at).get("2.0.0") == image.digest, "row of what was pushed")
    demand("SEALED True" in at.shell(SEAL), "the audit log is sealed")
    before, archive = tags(at), at.folder / "panel.tar"
    at.manage("backup", archive, "--passphrase-file", at.passphrase)
    say(f"backup: {archive.stat().st_size:,} bytes, made while everything ran; {verified(at, archive)}")
    at.stop(*OURS, "registry")
    at.wipe()
    say("database dropped, Redis emptied, keys and settings deleted")
    at.manage("init_data_dir")
    at.manage("restore", archive, "--passphrase-file", at.passphrase)
    at.prepare()
    at.start("registry", *OURS)
    demand(tags(at) == before, "every tag is there as it was")
    say(
        f"restored: {len(before)} tags as they were; {at.manage('verify_audit_log').strip().splitlines()[-1]}"
    )
    found = at.skopeo()("inspect", f"docker://{at.host}/{REPOSITORY}:2.0.0").stdout
    demand(json.loads(found)["Digest"] == image.digest, "the user pulls with the password of before")
    image = push.push(at, "3.0.0", b"third")
    at.until(lambda: tags(at).get("3.0.0") == image.digest, "row of what was pushed")
    say("the user pulls and pushes with the password of before, and the push is on the page")


def verified(at: Installation, archive: object) -> str:
    return (
        at.manage("backup", "--verify", str(archive), "--passphrase-file", at.passphrase)
        .strip()
        .splitlines()[-1]
    )


def tags(at: Installation) -> dict[str, str]:
    found: dict[str, str] = json.loads(at.shell(TAGS).split("FOUND ")[1])
    return found
