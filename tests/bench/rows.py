"""A row of the bench: a figure, its floor, what was measured, what is to be reached, and how it was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One figure. A ratio is that of the product to its floor, both measured in this run."""

    figure: str
    value: float
    unit: str = "times"
    reach: float | None = None
    """what is promised; null where a figure is only said"""
    least: bool = False
    """that the figure may not be lower; else it may not be higher"""
    floor: str = ""
    """the least that anybody needs for the same, if that was measured"""
    detail: str = ""
    how: str = ""

    @property
    def kept(self) -> bool | None:
        """True if it is what is promised; null where nothing is."""
        if self.reach is None:
            return None
        return self.value >= self.reach if self.least else self.value <= self.reach

    @property
    def measured(self) -> str:
        """The figure as people read it."""
        return f"{with_unit(self.value, self.unit)} {self.detail}".rstrip()

    @property
    def to_reach(self) -> str:
        """What is promised, as people read it."""
        if self.reach is None:
            return ""
        return f"{'at least ' if self.least else ''}{self.reach:,.12g} {self.unit}".rstrip()

    def plain(self) -> dict[str, Any]:
        """The row as JSON."""
        said = {"figure": self.figure, "value": self.value, "unit": self.unit, "reach": self.reach, "kept": self.kept}
        return said | {"least": self.least, "floor": self.floor, "detail": self.detail, "how": self.how}


def with_unit(value: float, unit: str) -> str:
    """A value with as many digits as mean something."""
    if unit == "times":
        return f"{value:.2f} times"
    digits = 0 if abs(value) >= 1000 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


@dataclass(frozen=True)
class Size:
    """How much is measured: the usual counts, smaller ones, or those that were asked for by name."""

    quick: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)

    def count(self, name: str, usual: int, quick: int) -> int:
        """A count that has a name, so that another may be asked for."""
        if name in self.asked:
            return int(self.asked[name])
        return quick if self.quick else usual

    def file(self, name: str, usual: Path) -> Path:
        """A file that has a name, so that another may be asked for."""
        return Path(self.asked.get(name, usual))
