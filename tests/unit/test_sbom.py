"""The check of `make image`: each installed package is in the list of what the image holds."""

import json
from pathlib import Path

import pytest

from tests.checks import sbom

DOCUMENT = {
    "components": [
        {"type": "library", "name": "Django", "version": "5.2.8", "purl": "pkg:pypi/django@5.2.8"},
        {
            "type": "library",
            "name": "typing_extensions",
            "version": "4.15",
            "purl": "pkg:pypi/typing-extensions@4.15",
        },
        {
            "type": "library",
            "name": "libc6",
            "version": "2.41-12",
            "purl": "pkg:deb/debian/libc6@2.41-12?arch=amd64",
        },
        {"type": "operating-system", "name": "debian", "version": "13"},
        {"type": "file", "name": "/app/manage.py"},
    ]
}
INSTALLED = ["deb libc6 2.41-12", "pypi Django 5.2.8", "pypi typing-extensions 4.15", ""]


def test_what_is_listed_is_found_however_it_is_written() -> None:
    assert sbom.missing(DOCUMENT, INSTALLED) == []


@pytest.mark.parametrize(
    "line", ["deb libssl3 3.5.1", "pypi celery 5.5.0", "pypi django 5.2.9", "pypi libc6 2.41-12"]
)
def test_what_is_not_listed_is_named(line: str) -> None:
    assert [" ".join(each) for each in sbom.missing(DOCUMENT, [*INSTALLED, line])] == [line]


def test_a_list_without_one_kind_is_refused(tmp_path: Path) -> None:
    """A scanner that did not understand the image would list nothing, and an image without packages miss nothing."""
    file, packages = tmp_path / "sbom.json", tmp_path / "installed"
    file.write_text(json.dumps({"components": DOCUMENT["components"][:2]}))
    packages.write_text("pypi django 5.2.8\n")
    with pytest.raises(SystemExit, match="no packages of deb"):
        sbom.main(str(file), str(packages))
