"""The commands that fetch a tag, by tool, and by tag or by digest. PURE."""

from dataclasses import dataclass

from namespaces.inside.artifacts import Group


@dataclass(frozen=True, slots=True)
class PullCommand:
    """`by_tag` is "" for a manifest that has no tag."""

    title: str
    by_tag: str
    by_digest: str


# (tool, command, the flag for a registry without TLS; docker trusts localhost by itself)
Way = tuple[str, str, str]
_SKOPEO: Way = ("skopeo", "skopeo copy{flag} docker://{ref} oci:{short}", " --src-tls-verify=false")
_CRANE: Way = ("crane", "crane manifest{flag} {ref}", " --insecure")
_BYTES: list[Way] = [
    _CRANE,
    ("skopeo", "skopeo inspect --raw{flag} docker://{ref}", " --tls-verify=false"),
    ("ORAS", "oras manifest fetch{flag} {ref}", " --plain-http"),
]
WAYS: dict[Group, list[Way]] = {
    Group.RUNS: [
        ("Docker", "docker pull {ref}", ""),
        ("Podman", "podman pull{flag} {ref}", " --tls-verify=false"),
        _SKOPEO,
        ("crane", "crane pull{flag} {ref} {short}.tar", " --insecure"),
        ("Kubernetes", "image: {ref}", ""),
    ],
    Group.CHART: [
        ("Helm", "helm pull{flag} oci://{chart}", " --plain-http"),
        ("Helm install", "helm install {short}{flag} oci://{chart}", " --plain-http"),
        _SKOPEO,
    ],
    Group.FILES: [("ORAS", "oras pull{flag} {ref}", " --plain-http"), _SKOPEO, _CRANE],
    Group.CACHE: [],
    Group.ABOUT: _BYTES,
    Group.LIST: _BYTES,
    Group.UNKNOWN: _BYTES,
}


def pull_commands(
    *, host: str, repository: str, tag: str, digest: str, group: Group, tls: bool
) -> list[PullCommand]:
    """The first is what most people use for a thing of this `group`."""
    name = f"{host}/{repository}"
    # helm writes the + of a version as _ in the tag, and wants it back.
    tagged = {"ref": f"{name}:{tag}", "chart": f"{name} --version {tag.replace('_', '+')}"}
    exact = {"ref": f"{name}@{digest}", "chart": f"{name}@{digest}"}
    found = []
    for title, command, plain in WAYS[group]:
        more = {"flag": "" if tls else plain, "short": repository.rpartition("/")[2]}
        by_tag = command.format(**tagged, **more) if tag else ""
        found.append(PullCommand(title, by_tag, command.format(**exact, **more)))
    return found
