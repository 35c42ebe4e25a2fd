"""The shape of what is asked anew at each scrape. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number for each value of `label`; where there is no label, one number under ""."""

    name: str
    about: str
    values: Mapping[str, float]
    label: str = ""


def one(name: str, about: str, value: float) -> Gauge:
    return Gauge(name, about, {"": value})


def seconds(moment: datetime | None) -> float:
    """Return the moment as Prometheus has it; 0 for never."""
    return moment.timestamp() if moment else 0.0
