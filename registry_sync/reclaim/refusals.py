"""Says why garbage must not be collected now. PURE.

Each sentence is for the terminal of an operator: what is in the way, and what to do about it.
"""

from dataclasses import dataclass

NAMED_MAX = 5
TWO, THREE = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReclaimFacts:
    """What the panel knows before a garbage collection.

    `version`: the registry's major version, 0 where nobody knows; `light`: as freshness says it, with its sentence in
    `light_text`; `deletions`: images and namespaces in which some are not carried out yet; `sha512` and `schema_1`:
    what the registry holds of these forms, as repository@digest; `needed`: digests that the registry would delete and
    the inventory needs.
    """

    version: int = 0
    delete_untagged: bool = False
    pull_through_cache: bool = False
    light: str = "live"
    light_text: str = ""
    deletions: tuple[str, ...] = ()
    sha512: tuple[str, ...] = ()
    schema_1: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


def refusals(facts: ReclaimFacts) -> list[str]:
    """Return a sentence for each reason; none when it is safe."""
    found = []
    if facts.pull_through_cache:
        found.append(
            "The registry is a pull-through cache, which expires what it holds by itself: there is nothing to collect."
        )
    if facts.delete_untagged and facts.version != THREE:
        found.append(
            "--delete-untagged needs Distribution 3: 2.8 would delete the platforms of multi-platform images. "
            "Run it without the option."
        )
    if facts.light != "live":
        found.append(
            f"The inventory is not known to be true ({facts.light_text}). Press Sync now on System and wait until its "
            "light is green."
        )
    if facts.deletions:
        found.append(deletions_refusal(facts.deletions))
    if facts.sha512:
        found.append(
            "Garbage collection would delete layers and configs with sha512 digests although images use them: "
            f"{_named(facts.sha512)}. Push these images again with sha256, and delete the old ones."
        )
    if facts.schema_1 and facts.version != TWO:
        found.append(
            "Distribution 3 cannot read Docker schema 1 images, and its garbage collection ends at the first one: "
            f"{_named(facts.schema_1)}. Delete them."
        )
    if facts.needed:
        found.append(
            f"The registry would delete what images in the inventory need: {_named(facts.needed)}. "
            + (
                "Give these a tag each, or run it without --delete-untagged."
                if facts.delete_untagged
                else "Its storage is not as it says; run manage.py doctor, and restore these from a backup or push "
                "them again."
            )
        )
    return found


def deletions_refusal(deletions: tuple[str, ...]) -> str:
    return (
        f"Deletions or restorations are under way in {_named(deletions)}. Run it again when they are carried out, or "
        "stop them on their pages."
    )


def _named(things: tuple[str, ...]) -> str:
    more = len(things) - NAMED_MAX
    return ", ".join(things[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
