"""Keep static/icons.svg: a symbol for each icon of vendor/tabler-icons. Usage: icon_sprite [--check].

A symbol takes colour and stroke width from the place that uses it (`{% icon "copy" %}`), so it has no width of its own.
"""

import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parents[2]
PUBLISHED = HERE / "vendor" / "tabler-icons"
SERVED = HERE / "static" / "icons.svg"
SVG = "{http://www.w3.org/2000/svg}"
KEPT = ("viewBox", "fill", "stroke", "stroke-linecap", "stroke-linejoin")
CREDIT = "<!-- Tabler Icons 3.51.0, MIT, Copyright (c) 2020-2026 Paweł Kuna -->"


def sprite(files: Iterable[Path]) -> str:
    """Return an SVG with a symbol for each file, one a line, by its name."""
    symbols = [_symbol(file.stem, ET.parse(file).getroot()) for file in sorted(files)]  # noqa: S314
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', CREDIT, *symbols, "</svg>", ""])


def names() -> set[str]:
    return {file.stem for file in PUBLISHED.glob("*.svg")}


def _symbol(name: str, icon: ET.Element) -> str:
    attributes = "".join(f' {key}="{icon.attrib[key]}"' for key in KEPT)
    paths = "".join(
        f'<path d="{path.attrib["d"]}"/>'
        for path in icon.iter(f"{SVG}path")
        if path.get("stroke") != "none"  # an empty square as large as the icon
    )
    return f'<symbol id="{name}"{attributes}>{paths}</symbol>'


def main(arguments: list[str]) -> int:
    wanted = sprite(PUBLISHED.glob("*.svg"))
    if "--check" not in arguments:
        SERVED.write_text(wanted)
    elif SERVED.read_text() != wanted:
        print(
            f"{SERVED.relative_to(HERE)} is not what {PUBLISHED.relative_to(HERE)} holds: run `make format`."
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
