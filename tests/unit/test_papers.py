"""Documents name only what exists: files, sections, commands of manage.py and targets of make."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).parents[2]
# Not the changelog: it tells of names as they were.
PAPERS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "findings" / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
]
each_paper = pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
# A path in a code span, in full or below the room that the sentence is about: `reconcile/writer.py`.
SPAN = re.compile(r"`([\w./{},-]+\.(?:py|html|js|css|md|sh|json|toml|yaml))`")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([\w-]*))?\)")
COMMAND = re.compile(r"manage\.py ([a-z][a-z_]+)")
TARGET = re.compile(r"`make ([a-z]+)")
THEIRS = {"compose.override.yaml"}  # whoever installs the panel writes it
ROOMS = (
    "accounts",
    "namespaces",
    "registry_sync",
    "manager",
    "templates",
    "static",
    "tests",
    "docs",
    "findings",
    "deploy",
)


def _files() -> set[str]:
    found = [
        *ROOT.glob("*.*"),
        *(path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()),
    ]
    return {str(path.relative_to(ROOT)) for path in found} | THEIRS


FILES = _files()


def _spread(text: str) -> list[str]:
    """`a/{b,c}.py` as a/b.py and a/c.py."""
    before, brace, rest = text.partition("{")
    if not brace:
        return [text]
    names, _brace, after = rest.partition("}")
    return [f"{before}{name}{after}" for name in names.split(",")]


def _exists(path: str) -> bool:
    return path in FILES or any(file.endswith(f"/{path}") for file in FILES)


def _sections(paper: Path) -> set[str]:
    """As GitHub names them."""
    heads = re.findall(r"^#+ (.+)$", paper.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@each_paper
def test_its_files_exist(paper: Path) -> None:
    named = [path for span in SPAN.findall(paper.read_text()) for path in _spread(span)]
    assert [path for path in named if not _exists(path)] == []


@each_paper
def test_its_links_lead_somewhere(paper: Path) -> None:
    broken = []
    for path, section in LINK.findall(paper.read_text()):
        target = (paper.parent / path).resolve() if path else paper
        if not target.exists() or (section and section not in _sections(target)):
            broken.append(f"{path}#{section}")
    assert broken == []


@each_paper
def test_its_commands_exist(paper: Path) -> None:
    text = paper.read_text()
    assert set(COMMAND.findall(text)) <= set(get_commands())
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(TARGET.findall(text)) <= targets


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    for part in (ROOT / "docs/glossary.md").read_text().split("\n## "):
        rows = re.findall(r"^\| ([^|]+?) \|", part, re.MULTILINE)
        words = [row.lower() for row in rows[1:]]
        assert words == sorted(set(words))


def test_every_decision_is_listed_under_a_number_of_its_own() -> None:
    folder = ROOT / "docs/adr"
    files = sorted(path.name for path in folder.glob("0*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    assert re.findall(r"\((0\d{3}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text()) == files


def test_every_finding_is_listed() -> None:
    scripts = {path.name for path in (ROOT / "findings").glob("*.sh")}
    assert (
        set(re.findall(r"^\| `([^`]+)`", (ROOT / "findings/README.md").read_text(), re.MULTILINE)) == scripts
    )
