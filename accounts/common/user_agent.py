"""What a client calls itself, in a short form: docker/27.5.1. PURE.

A User-Agent also tells kernel, system and machine, and anybody may write anything into it. So nothing is kept of it but
a name and a version number, and no name that looks like a machine's.
"""

import re
from typing import Final

from accounts.common.lazy_text import lazy as _
from accounts.common.remember import remember_short

LONGEST = 72  # characters of a short form, at most

_NAME = r"[A-Za-z][A-Za-z0-9_+-]{0,38}"
# 27.5.1, v0.11.7, 2.4.2+unknown, 1.6.20~ds1, 30.0.0-rc.1. Four numbers may be an address.
_NUMBER = re.compile(r"v?([0-9]{1,6}(?:\.[0-9]{1,6}){0,2}(?:-(?:alpha|beta|rc)\.?[0-9]{0,3})?)(?![\w.])")
_PRODUCT = re.compile(rf"({_NAME})(?:/(\S*))?(?:\s+\(?([^\s;)]*))?")
# Products that stand behind the name of their family: regclient/regctl (v0.11.7).
_FAMILIES = frozenset({"regclient"})
# What they run on, which some name before themselves.
_SYSTEM = frozenset({"arch", "kernel", "os"})
# Browsers call themselves Mozilla/5.0 first, and the others' names before their own.
_BROWSER = re.compile(r"\b(Edg|OPR|Firefox|Chrome|HeadlessChrome|Version)/([0-9]{1,6})")
_BROWSERS = ("Edg", "OPR", "Firefox", "HeadlessChrome", "Chrome", "Version")
_BROWSER_NAMES: Final = {"Edg": "Edge", "OPR": "Opera", "HeadlessChrome": "Chrome", "Version": "Safari"}
FAMILIES: Final = frozenset({*_BROWSER_NAMES.values(), "Firefox"})


@remember_short(longest=256)
def short(agent: str) -> str:
    """Return name and version, the name alone where no number follows, "" where there is no name.

    It leaves its own answers as they are.
    """
    found = _PRODUCT.match(agent)
    if not found or not _ends_there(agent, found.end(1)) or found[1].lower() in _SYSTEM:
        return ""
    name, version, following = found[1], found[2] or "", found[3] or ""
    if name == "Mozilla":
        return _browser(agent)
    if name in _FAMILIES and re.fullmatch(_NAME, version):
        name, version = version, following
    number = _NUMBER.match(version or following)
    if number:
        return f"{name}/{number[1]}"
    return "" if _may_be_a_machine(name) else name


def _ends_there(agent: str, end: int) -> bool:
    """Of a longer word, or one with dots in it, the beginning is no name."""
    return end == len(agent) or agent[end] == "/" or agent[end].isspace()


def _may_be_a_machine(name: str) -> bool:
    """web-01 rather than a program, which tells its version behind a slash."""
    return any(character.isdigit() for character in name)


def _browser(agent: str) -> str:
    versions = dict(_BROWSER.findall(agent))
    name = next((each for each in _BROWSERS if each in versions), "")
    return f"{_BROWSER_NAMES.get(name, name)}/{versions[name]}" if name else "Mozilla"


# By a word in a browser's User-Agent; an iPhone also says Mac, an Android phone also Linux.
_SYSTEMS = {
    "Android": "Android", "iPhone": "iOS", "iPad": "iOS", "Windows": "Windows", "Mac": "macOS", "CrOS": "ChromeOS",
    "Linux": "Linux",
}  # fmt: skip


@remember_short(longest=256)
def browser(agent: str) -> str:
    """As `short`, and what it runs on, in a word: so a person tells their own sign-ins apart."""
    system = next((name for word, name in _SYSTEMS.items() if word in agent), "")
    return ", ".join(filter(None, (short(agent), system)))


def client_name(client: str) -> str:
    """Return what people call it: "Firefox on Linux" of "Firefox/128, Linux", as `browser` returned it.

    A program keeps its version; "" stays "".
    """
    program, system = family(client), client.partition(", ")[2]
    if program not in FAMILIES:
        return client
    return _("%(browser)s on %(system)s", browser=program, system=system) if system else program


def family(client: str) -> str:
    """Return "Firefox" of "Firefox/128, Linux": what stays when a browser is updated."""
    return client.partition(", ")[0].partition("/")[0]
