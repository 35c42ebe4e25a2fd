"""Compare the list of what an image holds (CycloneDX) with what is installed in it. Usage: sbom FILE INSTALLED.

INSTALLED has a line for each package, as `deb NAME VERSION` or `pypi NAME VERSION`.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Package = tuple[str, str, str]  # kind, name, version
KINDS = ("deb", "pypi")


def listed(document: dict[str, Any]) -> set[Package]:
    """Return the packages of a CycloneDX document; the files that it lists besides are left out."""
    return {
        (kind, _name(kind, each["name"]), each["version"])
        for each in document.get("components", [])
        if (kind := _kind(each.get("purl", ""))) in KINDS
    }


def installed(lines: Iterable[str]) -> set[Package]:
    packages = (line.split() for line in lines if line.strip())
    return {(kind, _name(kind, name), version) for kind, name, version in packages}


def missing(document: dict[str, Any], lines: Iterable[str]) -> list[Package]:
    """Return what is installed and not listed."""
    return sorted(installed(lines) - listed(document))


def _kind(purl: str) -> str:
    return unquote(purl).removeprefix("pkg:").partition("/")[0]


def _name(kind: str, name: str) -> str:
    """Debian's names are written in one way, Python's in many."""
    return re.sub(r"[-_.]+", "-", name).lower() if kind == "pypi" else name


def main(sbom: str, packages: str) -> None:
    document = json.loads(Path(sbom).read_text())
    lines = Path(packages).read_text().splitlines()
    counts = {kind: len([each for each in listed(document) if each[0] == kind]) for kind in KINDS}
    if left_out := missing(document, lines) or [
        ("no packages of", kind, "") for kind in KINDS if not counts[kind]
    ]:
        sys.exit(
            "\n".join(["Not in the list of what the image holds:", *(" ".join(each) for each in left_out)])
        )
    print(", ".join(f"{count} packages of {kind}" for kind, count in counts.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
