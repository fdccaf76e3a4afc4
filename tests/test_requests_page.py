"""The page of what can be asked names every update that a journey and a case answer, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from temporalio import workflow

from workflows.customer_journey import CustomerJourney
from workflows.service_case import ServiceCase

PAGE = (Path(__file__).parents[1] / "docs" / "requests.md").read_text(encoding="utf-8")


def named(part: str) -> set[str]:
    """The updates in the first column of the tables of a part of the page."""
    cells = re.findall(r"^\| (`[^|]+?) \|", part, flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def answered(kind: type) -> set[str]:
    definition = workflow._Definition.must_from_class(kind)
    return {name for name in definition.updates if name}


def test_the_page_names_every_update() -> None:
    of_a_journey, of_a_case = PAGE.split("## Of a case")
    assert named(of_a_journey) == answered(CustomerJourney)
    assert named(of_a_case) == answered(ServiceCase)
