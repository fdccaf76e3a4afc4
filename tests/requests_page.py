"""The page of what can be asked, made from the registry: `uv run poe docs` writes it anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from domain.frame.request_kinds import Asker
from domain.journey.event_catalogue import CATALOGUE
from domain.journey.registry import OF_CASES, OF_JOURNEYS, Kind

PAGE = Path(__file__).parents[1] / "docs" / "requests.md"
EVENTS_PAGE = PAGE.with_name("event-catalogue.md")
EVENTS_HEAD = """# Events that other systems are told

<!-- Made from domain/journey/event_catalogue.py by `uv run poe docs`. -->

What leaves by [webhook](events.md#out), each with an example of its body. `GET /v1/events/catalogue` gives the JSON Schemas. Later releases may
say more of an event, and tell of further ones: leave aside what you do not know.
"""
MADE = "<!-- What follows is made from domain/journey/registry.py by `uv run poe docs`. -->\n"
"""What stands before this line is written by hand."""
ROLES = {
    Asker.CUSTOMER: "the customer",
    Asker.SALES: "sales",
    Asker.SUCCESS: "success",
    Asker.SERVICE: "service",
    Asker.OPERATOR: "operators",
    Asker.FINANCE: "finance",
    Asker.PROGRAM: "programs",
    Asker.ADMIN: "admins",
}


def page() -> str:
    """The whole page: its head as it is, and every request that there is."""
    head = PAGE.read_text(encoding="utf-8").partition(MADE)[0]
    return "\n".join([f"{head}{MADE}", *_part("Of a journey", OF_JOURNEYS), *_part("Of a case", OF_CASES)])


def _part(title: str, areas: dict[str, tuple[Kind, ...]]) -> Iterator[str]:
    yield f"## {title}\n"
    for area, kinds in areas.items():
        yield f"### {area}\n"
        for kind in kinds:
            yield f"#### `{kind.update}`\n"
            yield f"{kind.text}\n"
            yield f"Fields: `{kind.fields}`. Asked by {_roles(kind.asked_by)}. For example:\n"
            yield f"```json\n{_written(kind.example)}\n```\n"


def _roles(askers: Asker) -> str:
    named = [word for asker, word in ROLES.items() if asker in askers]
    return " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def _written(example: str) -> str:
    """An example on a line, or on several if it is long."""
    if len(example) <= 120:
        return example
    return json.dumps(json.loads(example), indent=2, ensure_ascii=False)


def events_page() -> str:
    """The page of events that other systems are told."""
    return "\n".join([EVENTS_HEAD, *_events()])


def _events() -> Iterator[str]:
    for kind in CATALOGUE:
        yield f"## `{kind.type.value}`\n"
        yield f"{kind.says}\n"
        yield f"```json\n{json.dumps(kind.example(), indent=2, ensure_ascii=False)}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    EVENTS_PAGE.write_text(events_page(), encoding="utf-8")
