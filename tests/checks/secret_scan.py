"""Find what looks like a live secret in the files that git holds, or would. Usage: secret_scan [FILE ...].

Patterns of secrets that say what they are, and ours with their checksum: so nothing is reported that is none, and no
list of exceptions is kept. A made-up one that a test needs is written in two pieces.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from accounts import credentials

HERE = Path(__file__).parents[2]
NOT_OURS = {".git", ".venv", "var", "staticfiles"}  # of a copy without git
SIZE_MAX = 1024 * 1024  # what is larger is no text that somebody wrote
KINDS = {
    "private key": rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----\s*[A-Za-z0-9+/=:]",
    "AWS key": rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "Google key": rb"\bAIza[0-9A-Za-z_-]{35}\b",
    "GitHub token": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b",
    "GitLab token": rb"\bgl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,}",
    "Docker Hub token": rb"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}",
    "PyPI token": rb"\bpypi-AgEI[A-Za-z0-9_-]{50,}",
    "npm token": rb"\bnpm_[A-Za-z0-9]{36}\b",
    "Slack token": rb"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "Stripe key": rb"\b[rs]k_live_[A-Za-z0-9]{16,}",
    "signed token": rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{40,}",
    "password in a registry login": rb'"auth"\s*:\s*"[A-Za-z0-9+/]{24,}={0,2}"',
}
_ANY = {kind: re.compile(pattern) for kind, pattern in KINDS.items()}
_OURS = re.compile(rb"\b(rm[a-z])_[0-9A-Za-z]{38}\b")


def found_in(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield the line of each, and its kind; never the secret itself."""
    for kind, pattern in _ANY.items():
        for match in pattern.finditer(content):
            yield _line(content, match), kind
    for match in _OURS.finditer(content):
        if credentials.well_formed(match[0].decode(), match[1].decode()):
            yield _line(content, match), "password or token of the panel"


def scan(files: Iterable[Path]) -> list[str]:
    """Return a line for each that was found, as FILE:LINE: KIND."""
    return [
        f"{file}:{line}: {kind}"
        for file in files
        if file.is_file() and file.stat().st_size <= SIZE_MAX
        for line, kind in found_in(file.read_bytes())
    ]


def files_of_git() -> list[Path]:
    """Return what git holds, and what it would add; in a copy without git, all but what is made."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=HERE, check=False, capture_output=True, text=True)
    if answer.returncode == 0:
        return [HERE / name for name in answer.stdout.split("\0") if name]
    return [each for each in HERE.rglob("*") if not NOT_OURS & set(each.relative_to(HERE).parts)]


def _line(content: bytes, match: re.Match[bytes]) -> int:
    return content.count(b"\n", 0, match.start()) + 1


if __name__ == "__main__":
    problems = scan([Path(each) for each in sys.argv[1:]] or files_of_git())
    print("\n".join(problems) or "no secret found")
    sys.exit(bool(problems))
