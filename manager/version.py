"""The version that this is: pyproject.toml's, which comes along with the code."""

import tomllib
from pathlib import Path


def read(folder: Path) -> str:
    """Return the version that `folder`/pyproject.toml names."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return str(project["version"])


if __name__ == "__main__":  # for what needs it without Django: the image's label
    print(read(Path(__file__).parents[1]))  # noqa: T201
