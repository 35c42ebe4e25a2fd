"""The tabs of a tag's or manifest's page. Each is a link with a query, so that it works without JavaScript."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from namespaces.media_types import ArtifactKind, Group


class Tab(StrEnum):
    OVERVIEW = "overview"
    LAYERS = "layers"
    CONFIGURATION = "configuration"
    REFERRERS = "referrers"
    PULLS = "pulls"
    RAW = "raw"


def manifest_tabs(context: dict[str, Any], last: Tab, asked: str) -> dict[str, Any]:
    """Return `tab`, the one to show, and `subtabs`, the links to those that hold something.

    `context`: of `manifest_context`. `last`: PULLS of a tag, RAW of a manifest. `asked`: of the address, anything.
    """
    offered = [Tab.OVERVIEW, *_of_what_it_holds(context), last]
    current = next((tab for tab in offered if tab == asked), Tab.OVERVIEW)
    chosen = context["chosen"]
    platform = {"platform": chosen.key} if chosen and context["platform_asked"] else {}
    counts = _counts(context)
    return {
        "tab": current,
        "configured": _configured(context),
        "subtabs": [
            {
                "text": _text(tab, context["artifact_kind"]),
                "url": "?" + urlencode({"tab": tab} | platform),
                "current": tab is current,
                "count": counts.get(tab),
            }
            for tab in offered
        ],
    }


def _of_what_it_holds(context: dict[str, Any]) -> Iterable[Tab]:
    kind, details = context["artifact_kind"], context["details"]
    runs = kind.group == Group.RUNS
    if runs or details.layers or details.lost_to_gc:
        yield Tab.LAYERS
    if runs or _configured(context):
        yield Tab.CONFIGURATION
    if runs or kind.group == Group.CHART or context["referrers"]:
        yield Tab.REFERRERS


def _configured(context: dict[str, Any]) -> bool:
    of_image = ("entrypoint", "cmd", "env", "ports", "user", "workdir", "labels", "all_config")
    of_any = ("chart", "dependencies", "annotations")
    return bool(
        context["index_annotations"]
        or any(getattr(context["details"], name) for name in (*of_image, *of_any))
    )


def _counts(context: dict[str, Any]) -> dict[Tab, int]:
    return {
        Tab.LAYERS: context["details"].all_layers or len(context["details"].layers),
        Tab.REFERRERS: len(context["referrers"]),
    }


def _text(tab: Tab, kind: ArtifactKind) -> str:
    match tab:
        case Tab.OVERVIEW:
            return _("Overview")
        case Tab.LAYERS:
            return _("Layers") if kind.group == Group.RUNS else _("Files")
        case Tab.CONFIGURATION:
            return _("Configuration")
        case Tab.REFERRERS:
            return _("Contents") if kind.group == Group.LIST else _("Signatures and SBOMs")
        case Tab.PULLS:
            return _("Pulls")
        case Tab.RAW:
            return _("Raw manifest")
