"""The commands that fetch a tag, by tool, and by tag or by digest. PURE."""

from dataclasses import dataclass
from typing import NamedTuple

from accounts.common.lazy_text import lazy as _
from namespaces.media_types import Nature, Tool


@dataclass(frozen=True, slots=True)
class PullCommand:
    """`by_tag` is "" for a manifest that has no tag, and each for a tool that does not fetch in this way."""

    title: str
    by_tag: str
    by_digest: str
    note: str = ""  # what else it takes


class Way(NamedTuple):
    """A tool's command to pull with.

    In `command`: {ref} the reference; {chart} helm's form of it; {about} that of the subject, of what has one; {type}
    cosign's name for what is stated; {flag} `plain` where the registry has no TLS.
    """

    title: str
    command: str
    plain: str = ""  # docker trusts localhost by itself
    digests: bool = True  # False: the tool knows tags alone
    parts: int = 0  # of a repository's name, where the tool takes just so many
    if_private: str = ""  # what to know where the namespace is not public


_NO_PASSWORD = _("Ollama cannot sign in with a password: it pulls from public namespaces alone.")
_SKOPEO = Way("skopeo", "skopeo copy{flag} docker://{ref} oci:{short}", " --src-tls-verify=false")
_ORAS = Way("ORAS", "oras pull{flag} {ref}", " --plain-http")
_CRANE = Way("crane", "crane manifest{flag} {ref}", " --insecure")
_FILES = [_ORAS, _SKOPEO, _CRANE]
_COPIES = [_SKOPEO, _CRANE]
_BYTES = [
    _CRANE,
    Way("skopeo", "skopeo inspect --raw{flag} docker://{ref}", " --tls-verify=false"),
    Way("ORAS", "oras manifest fetch{flag} {ref}", " --plain-http"),
]
_HTTP = " --allow-http-registry"
_MODCTL = Way("modctl", "modctl pull{flag} {ref}", " --plain-http")
_KIT = Way("KitOps", "kit unpack{flag} {ref}", " --plain-http")
_DOCKER_MODEL = Way("Docker Model Runner", "docker model pull {ref}")
WAYS: dict[Tool, list[Way]] = {
    Tool.DOCKER: [
        Way("Docker", "docker pull {ref}"),
        Way("Podman", "podman pull{flag} {ref}", " --tls-verify=false"),
        _SKOPEO,
        Way("crane", "crane pull{flag} {ref} {short}.tar", " --insecure"),
        Way("Kubernetes", "image: {ref}"),
    ],
    Tool.HELM: [
        Way("Helm", "helm pull{flag} oci://{chart}", " --plain-http"),
        Way("Helm install", "helm install {short}{flag} oci://{chart}", " --plain-http"),
        _SKOPEO,
    ],
    Tool.ORAS: _FILES,
    Tool.OLLAMA: [
        Way(
            "Ollama",
            "ollama pull{flag} {ref}",
            " --insecure",
            digests=False,
            parts=2,
            if_private=_NO_PASSWORD,
        ),
        # skopeo takes no other layers than Docker's own in Docker's form of a manifest.
        Way("ORAS", "oras copy{flag} --to-oci-layout {ref} {short}", " --from-plain-http"),
        _CRANE,
    ],
    Tool.MODELPACK: [_MODCTL, _KIT, _DOCKER_MODEL, *_COPIES],
    Tool.KITOPS: [_KIT, *_COPIES],
    Tool.DOCKER_MODEL: [_DOCKER_MODEL, *_COPIES],
    Tool.FLUX: [Way("Flux", "flux pull artifact oci://{ref} --output {short}"), *_COPIES],
    Tool.WKG: [Way("wkg", "wkg oci pull{flag} {ref} -o {short}.wasm", " --insecure {host}"), *_FILES],
    Tool.SPIN: [Way("Spin", "spin registry pull{flag} {ref}", " --insecure"), *_COPIES],
    Tool.CONFTEST: [Way("Conftest", "conftest pull oci://{ref}"), *_FILES],
    Tool.COMPOSE: [Way("Docker Compose", "docker compose -f oci://{ref} config"), *_FILES],
    Tool.APPTAINER: [
        Way("Apptainer", "apptainer pull{flag} {short}.sif oras://{ref}", " --no-https"),
        *_FILES,
    ],
    Tool.COSIGN: [
        Way("cosign", "cosign verify{flag} --key cosign.pub {about}", _HTTP),
        Way("cosign download", "cosign download signature{flag} {about}", _HTTP),
        *_BYTES,
    ],
    Tool.COSIGN_ATTESTATION: [
        Way("cosign", "cosign verify-attestation{flag} --key cosign.pub{type} {about}", _HTTP),
        Way("cosign download", "cosign download attestation{flag} {about}", _HTTP),
        *_BYTES,
    ],
    Tool.COSIGN_SBOM: [Way("cosign", "cosign download sbom{flag} {about}", _HTTP), *_BYTES],
    Tool.NOTATION: [Way("Notation", "notation verify{flag} {about}", " --insecure-registry"), *_BYTES],
    Tool.BYTES: _BYTES,
    Tool.NONE: [],
}


def pull_commands(
    *,
    host: str,
    repository: str,
    tag: str,
    digest: str,
    nature: Nature,
    tls: bool,
    subject: str = "",
    public: bool = False,
) -> list[PullCommand]:
    """Return the commands for a thing of this `nature`, the commonest first; `subject`: the digest it is about."""
    name = f"{host}/{repository}"
    # helm writes the + of a version as _ in the tag, and wants it back.
    tagged = {"ref": f"{name}:{tag}", "chart": f"{name} --version {tag.replace('_', '+')}"}
    exact = {"ref": f"{name}@{digest}", "chart": f"{name}@{digest}"}
    more = {
        "host": host, "short": repository.rpartition("/")[2], "about": f"{name}@{subject}",
        "type": f" --type {nature.stated_as}" if nature.stated_as else "",
    }  # fmt: skip
    found = []
    for way in WAYS[nature.tool]:
        about = "{about}" in way.command
        if (about and not subject) or (way.parts and repository.count("/") + 1 != way.parts):
            continue
        flag = {"flag": "" if tls else way.plain.format(**more)}
        by_tag = way.command.format(**tagged, **more, **flag) if tag and not about else ""
        by_digest = way.command.format(**exact, **more, **flag) if way.digests else ""
        if by_tag or by_digest:
            found.append(PullCommand(way.title, by_tag, by_digest, "" if public else way.if_private))
    return found
