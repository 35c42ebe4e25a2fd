"""The pull commands of each tool, by tag and by digest. PURE."""

from dataclasses import dataclass
from typing import NamedTuple

from accounts.common.lazy_text import lazy as _
from namespaces.media_types import ArtifactKind, Tool


@dataclass(frozen=True, slots=True)
class PullCommand:
    """`by_tag` is "" without a tag. Each is "" if the tool cannot pull that template."""

    title: str
    by_tag: str
    by_digest: str
    note: str = ""  # what else it takes


class CommandTemplate(NamedTuple):
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


_NO_PASSWORD = _("Ollama cannot sign in with a password: it can pull only from public namespaces.")
_SKOPEO = CommandTemplate("skopeo", "skopeo copy{flag} docker://{ref} oci:{short}", " --src-tls-verify=false")
_ORAS = CommandTemplate("ORAS", "oras pull{flag} {ref}", " --plain-http")
_CRANE = CommandTemplate("crane", "crane manifest{flag} {ref}", " --insecure")
_FILES = [_ORAS, _SKOPEO, _CRANE]
_COPIES = [_SKOPEO, _CRANE]
_BYTES = [
    _CRANE,
    CommandTemplate("skopeo", "skopeo inspect --raw{flag} docker://{ref}", " --tls-verify=false"),
    CommandTemplate("ORAS", "oras manifest fetch{flag} {ref}", " --plain-http"),
]
_HTTP = " --allow-http-registry"
_MODCTL = CommandTemplate("modctl", "modctl pull{flag} {ref}", " --plain-http")
_KIT = CommandTemplate("KitOps", "kit unpack{flag} {ref}", " --plain-http")
_DOCKER_MODEL = CommandTemplate("Docker Model Runner", "docker model pull {ref}")
COMMAND_TEMPLATES: dict[Tool, list[CommandTemplate]] = {
    Tool.DOCKER: [
        CommandTemplate("Docker", "docker pull {ref}"),
        CommandTemplate("Podman", "podman pull{flag} {ref}", " --tls-verify=false"),
        _SKOPEO,
        CommandTemplate("crane", "crane pull{flag} {ref} {short}.tar", " --insecure"),
        CommandTemplate("Kubernetes", "image: {ref}"),
    ],
    Tool.HELM: [
        CommandTemplate("Helm", "helm pull{flag} oci://{chart}", " --plain-http"),
        CommandTemplate("Helm install", "helm install {short}{flag} oci://{chart}", " --plain-http"),
        _SKOPEO,
    ],
    Tool.ORAS: _FILES,
    Tool.OLLAMA: [
        CommandTemplate(
            "Ollama",
            "ollama pull{flag} {ref}",
            " --insecure",
            digests=False,
            parts=2,
            if_private=_NO_PASSWORD,
        ),
        # skopeo takes no other layers than Docker's own in Docker's form of a manifest.
        CommandTemplate("ORAS", "oras copy{flag} --to-oci-layout {ref} {short}", " --from-plain-http"),
        _CRANE,
    ],
    Tool.MODELPACK: [_MODCTL, _KIT, _DOCKER_MODEL, *_COPIES],
    Tool.KITOPS: [_KIT, *_COPIES],
    Tool.DOCKER_MODEL: [_DOCKER_MODEL, *_COPIES],
    Tool.FLUX: [CommandTemplate("Flux", "flux pull artifact oci://{ref} --output {short}"), *_COPIES],
    Tool.WKG: [
        CommandTemplate("wkg", "wkg oci pull{flag} {ref} -o {short}.wasm", " --insecure {host}"),
        *_FILES,
    ],
    Tool.SPIN: [CommandTemplate("Spin", "spin registry pull{flag} {ref}", " --insecure"), *_COPIES],
    Tool.CONFTEST: [CommandTemplate("Conftest", "conftest pull oci://{ref}"), *_FILES],
    Tool.COMPOSE: [CommandTemplate("Docker Compose", "docker compose -f oci://{ref} config"), *_FILES],
    Tool.APPTAINER: [
        CommandTemplate("Apptainer", "apptainer pull{flag} {short}.sif oras://{ref}", " --no-https"),
        *_FILES,
    ],
    Tool.COSIGN: [
        CommandTemplate("cosign", "cosign verify{flag} --key cosign.pub {about}", _HTTP),
        CommandTemplate("cosign download", "cosign download signature{flag} {about}", _HTTP),
        *_BYTES,
    ],
    Tool.COSIGN_ATTESTATION: [
        CommandTemplate("cosign", "cosign verify-attestation{flag} --key cosign.pub{type} {about}", _HTTP),
        CommandTemplate("cosign download", "cosign download attestation{flag} {about}", _HTTP),
        *_BYTES,
    ],
    Tool.COSIGN_SBOM: [CommandTemplate("cosign", "cosign download sbom{flag} {about}", _HTTP), *_BYTES],
    Tool.NOTATION: [
        CommandTemplate("Notation", "notation verify{flag} {about}", " --insecure-registry"),
        *_BYTES,
    ],
    Tool.BYTES: _BYTES,
    Tool.NONE: [],
}


def pull_commands(
    *,
    host: str,
    repository: str,
    tag: str,
    digest: str,
    artifact_kind: ArtifactKind,
    tls: bool,
    subject: str = "",
    public: bool = False,
) -> list[PullCommand]:
    """Return the commands, the most common tool first. `subject` is the digest that the artifact is about, or ""."""
    name = f"{host}/{repository}"
    # helm writes the + of a version as _ in the tag, and wants it back.
    tagged = {"ref": f"{name}:{tag}", "chart": f"{name} --version {tag.replace('_', '+')}"}
    exact = {"ref": f"{name}@{digest}", "chart": f"{name}@{digest}"}
    more = {
        "host": host,
        "short": repository.rpartition("/")[2],
        "about": f"{name}@{subject}",
        "type": f" --type {artifact_kind.cosign_type}" if artifact_kind.cosign_type else "",
    }
    found = []
    for template in COMMAND_TEMPLATES[artifact_kind.tool]:
        about = "{about}" in template.command
        if (about and not subject) or (template.parts and repository.count("/") + 1 != template.parts):
            continue
        flag = {"flag": "" if tls else template.plain.format(**more)}
        by_tag = template.command.format(**tagged, **more, **flag) if tag and not about else ""
        by_digest = template.command.format(**exact, **more, **flag) if template.digests else ""
        if by_tag or by_digest:
            found.append(
                PullCommand(template.title, by_tag, by_digest, "" if public else template.if_private)
            )
    return found
