"""Print the files of the pure modules, as `coverage report --include` takes them."""

import tomllib
from pathlib import Path

HERE = Path(__file__).parents[2]


def pure_modules() -> set[str]:
    """Return their names, which stand in one place, the contract of import-linter."""
    configuration = tomllib.loads((HERE / "pyproject.toml").read_text())
    contracts = configuration["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each["name"].startswith("The pure modules"))
    return set(contract["source_modules"])


if __name__ == "__main__":
    print(",".join(f"{name.replace('.', '/')}.py" for name in sorted(pure_modules())))
