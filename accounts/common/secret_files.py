"""Whether a secret file is its reader's alone."""

import os
import stat
from pathlib import Path

OTHERS = 0o077
ROOT = 0


def exposed(path: Path) -> str:
    """Why somebody else can read or replace the file, and what to run; "" when nobody can."""
    found = path.stat()
    if found.st_mode & OTHERS:
        return f"has mode {stat.S_IMODE(found.st_mode):04o}; run: chmod 600 {path}"
    if found.st_uid not in (ROOT, os.geteuid()):
        return f"belongs to another user; run: chown {os.geteuid()} {path}"
    return ""
