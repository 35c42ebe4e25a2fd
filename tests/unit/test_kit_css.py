import pytest

from tests.checks import kit_css

CSS = """@charset "UTF-8";/*! Kit v1, MIT */
:root{--a:var(--b);--b:url("x;y}");--c:1}:root{--c:2}
h1,.card,.avatar{margin:var(--a)}.btn:not(.avatar) .icon::after{content:"}"}
@media (min-width:768px){.avatar{color:red}.d-md-none{display:none!important}}
@media print{.avatar{color:red}}
@keyframes tada{0%{top:0}}@keyframes spin{0%{top:0}}.icon{animation:spin 1s}
[data-theme=dark] h1,[data-bs-theme=dark] h1,[type=button]{color:red}"""


@pytest.fixture
def used() -> str:
    return kit_css.used(CSS, {"card", "btn", "icon", "d-md-none", "data-bs-theme", "type"})


def test_rules_without_classes_and_those_of_ours_stay(used: str) -> None:
    assert "h1,.card{margin:var(--a)}" in used
    assert '.btn:not(.avatar) .icon::after{content:"}"}' in used
    assert "@media (min-width:768px){\n.d-md-none{display:none!important}\n}" in used
    assert "[data-bs-theme=dark] h1,[type=button]{color:red}" in used


def test_what_no_page_can_match_goes(used: str) -> None:
    assert ".avatar{" not in used
    assert "print" not in used
    assert "[data-theme" not in used


def test_what_is_read_stays_also_through_another_and_by_our_own_css(used: str) -> None:
    assert ':root{--a:var(--b);--b:url("x;y}");}' in used
    assert "--c" not in used
    assert ":root{}" not in used
    assert "--c:2" in kit_css.used(CSS, {"card"}, ".ours{width:var(--c)}")


def test_an_animation_stays_with_the_rule_that_uses_it(used: str) -> None:
    assert "@keyframes spin" in used
    assert "tada" not in used


def test_it_names_version_and_licence(used: str) -> None:
    assert used.startswith("/*! Kit v1, MIT */\n")


def test_what_is_served_fits_the_templates() -> None:
    served = kit_css.SERVED.read_text()
    assert "[data-bs-theme=dark]" in served  # set by a script, as dataset.bsTheme
    assert served == kit_css.used(
        kit_css.PUBLISHED.read_text(), kit_css.words_of_ours(), kit_css.OURS.read_text()
    ), "run `make format`"
