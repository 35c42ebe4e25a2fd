"""Presets of receivers choose what the receiver can read; states are told in words."""

import pytest

from accounts.common.lazy_text import lazy
from namespaces.webhooks import state_text
from namespaces.webhooks.event_types import FORMATS, PUSHES, EventType, Format, types_problem
from namespaces.webhooks.presets import (
    ARGOCD,
    FLUX,
    KEEL,
    OWN,
    PORTAINER,
    PRESETS,
    Preset,
    nearest,
    preset_of,
)

PUSHED = [EventType.IMAGE_PUSHED.value]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_what_a_preset_chooses_can_be_saved(preset: Preset) -> None:
    assert preset_of(preset.slug) is preset
    assert preset.format is preset.formats[0]
    assert preset.chosen
    assert preset.chosen <= preset.types <= FORMATS[preset.format].types
    assert not types_problem([each.value for each in preset.chosen], preset.format, whole_account=False)


@pytest.mark.parametrize("preset", [FLUX, ARGOCD, KEEL, PORTAINER])
def test_what_deploys_is_told_of_pushes_alone(preset: Preset) -> None:
    """Flux deploys at any message, and the Image Updater refuses a deletion with 400."""
    assert preset.types == PUSHES
    assert len(preset.formats) == 1


def test_a_preset_nobody_knows_is_none() -> None:
    assert preset_of("nonsense") is None


@pytest.mark.parametrize(
    ("format", "types", "preset"),
    [
        (Format.KEEL, PUSHED, KEEL),
        (Format.PORTAINER, PUSHED, PORTAINER),
        (Format.HARBOR, PUSHED, OWN),  # of Flux, or of the Image Updater
        (Format.CLOUDEVENTS, PUSHED, OWN),
        (Format.KEEL, ["tag.deleted"], OWN),
        (Format.EMPTY, PUSHED, OWN),
        ("of a later build", PUSHED, OWN),
    ],
)
def test_a_webhook_is_changed_in_the_form_that_can_show_it(
    format: str, types: list[str], preset: object
) -> None:
    assert nearest(format, types) is preset


PROBLEM = lazy("Nothing answers at %(host)s on port %(port)s.", host="a.example", port="443")


@pytest.mark.parametrize(
    ("given", "text", "tone", "why"),
    [
        ({"enabled": False}, "switched off", "none", ""),
        ({"enabled": False, "reason": PROBLEM}, "switched off", "bad", PROBLEM),
        ({}, "on, nothing sent yet", "none", ""),
        ({"tried": True, "status": 204}, "on, working", "good", ""),
        ({"tried": True, "status": 500}, "on, but failing", "warn", "The receiver answered 500."),
        ({"tried": True, "status": 302, "problem": PROBLEM}, "on, but failing", "warn", PROBLEM),
        ({"tried": True, "problem": PROBLEM}, "on, but failing", "warn", PROBLEM),
    ],
)
def test_how_a_webhook_stands(given: dict[str, object], text: str, tone: str, why: str) -> None:
    base = {"enabled": True, "reason": "", "tried": False, "status": None, "problem": ""}
    found = state_text.webhook_state(**base | given)  # type: ignore[arg-type]
    assert (found.text, found.tone, found.why) == (text, tone, why)


@pytest.mark.parametrize(
    ("given", "text", "tone", "why"),
    [
        ({}, "waiting", "none", ""),
        ({"attempts": 1}, "being sent", "none", ""),
        ({"attempts": 1, "problem": PROBLEM}, "will be tried again", "warn", PROBLEM),
        (
            {"attempts": 1, "problem": PROBLEM, "enabled": False},
            "waits until the webhook is on",
            "none",
            PROBLEM,
        ),
        (
            {"state": "delivered", "attempts": 1, "status": 200},
            "delivered",
            "good",
            "The receiver answered 200.",
        ),
        ({"state": "failed", "attempts": 6, "status": 503}, "given up", "bad", "The receiver answered 503."),
    ],
)
def test_how_a_message_stands(given: dict[str, object], text: str, tone: str, why: str) -> None:
    base = {"state": "waiting", "enabled": True, "attempts": 0, "status": None, "problem": ""}
    found = state_text.delivery_state(**base | given)  # type: ignore[arg-type]
    assert (found.text, found.tone, found.why) == (text, tone, why)
