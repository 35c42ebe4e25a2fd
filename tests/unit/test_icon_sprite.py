import re
from pathlib import Path

from tests.checks import icon_sprite, kit_css

PUBLISHED = """<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24" fill="none"
  stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" class="icon">
  <path stroke="none" d="M0 0h24v24H0z" fill="none" /> <path d="M12 5l0 14" /> <path d="M5 12l14 0" />
</svg>"""


def test_an_icon_becomes_a_symbol_without_size_and_stroke_width(tmp_path: Path) -> None:
    (tmp_path / "plus.svg").write_text(PUBLISHED)
    sprite = icon_sprite.sprite([tmp_path / "plus.svg"])
    assert (
        '<symbol id="plus" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round"'
        ' stroke-linejoin="round"><path d="M12 5l0 14"/><path d="M5 12l14 0"/></symbol>' in sprite
    )


def test_what_is_served_holds_each_icon() -> None:
    assert icon_sprite.SERVED.read_text() == icon_sprite.sprite(icon_sprite.PUBLISHED.glob("*.svg")), (
        "run `make format`"
    )


def test_each_icon_that_is_named_is_there_and_each_that_is_there_is_named() -> None:
    sources = kit_css.SOURCES
    text = "\n".join(file.read_text() for pattern in sources for file in kit_css.HERE.glob(pattern))
    named = set(re.findall(r"""(?:\bicon |\bicon=|\bicon\(|\bicon\|default:)["']([a-z0-9-]+)["']""", text))
    assert named - icon_sprite.names() == set()
    unnamed = {name for name in icon_sprite.names() if not re.search(rf"""["'#]{name}["']""", text)}
    assert unnamed == set()
