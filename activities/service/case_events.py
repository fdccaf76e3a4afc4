"""What happens in a case, one line of its record after the other, and what of it the customer's timeline tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from activities.frame.handlers import Handlers, Place, on
from activities.frame.telling import AS_TOLD, INTO
from activities.kernel.pool import Connection
from domain.holds.writes import NoteOnCase
from domain.journey.telling import event_told
from domain.service.case import Happened, Recorded

# Whose case it is says its row, which this transaction has written or holds.
_EVENT = f"""
with kept as (
       insert into case_event (case_id, sequence, at, recorded_at, kind, by, detail, visibility)
       values ($1, coalesce(nullif($2, 0), (select coalesce(max(sequence), 0) + 1 from case_event where case_id = $1)),
         $3, $4, $5, $6, $7, $8)
       returning sequence)
{INTO} select 'case:' || $1 || '/' || sequence, c.account_id, $3, $9, $10, $6, 'case/' || $1, $11
from kept, service_case c where c.case_id = $1 and c.account_id is not null and $9::text is not null {AS_TOLD}
"""


def new_event(at: datetime, kind: Happened, by: str, detail: dict[str, Any], visibility: str = "shared") -> Recorded:
    """What happens at `at` and gets the next number of its case."""
    return Recorded(sequence=0, at=at, recorded_at=at, kind=kind, by=by, detail=detail, visibility=visibility)


async def add_events(
    connection: Connection,
    case_id: str,
    events: Iterable[Recorded],
    *,
    subject: str = "",
    names: Mapping[str, str] | None = None,
) -> None:
    """Lines of a case's record; number 0 is the next one. `subject` of the case, and `names` of staff by their ids, are for its timeline."""
    rows = []
    for e in events:
        told = next(iter(event_told("", case_id, subject, e, names or {})), {})
        said = [told.get(name) for name in ("kind", "title", "visibility")]
        rows.append((case_id, e.sequence, e.at, e.recorded_at, e.kind, e.by, e.detail, e.visibility, *said))
    await connection.executemany(_EVENT, rows)


async def _notes_on_cases(place: Place, writes: list[NoteOnCase]) -> None:
    for write in writes:
        # The case's row is locked, so that the number is free still when the line is written.
        await place.connection.execute("select 1 from service_case where case_id = $1 for update", write.case_id)
        detail = {"name": write.name, **write.detail}
        noted = new_event(place.as_of, Happened.CUSTOM, write.by, detail, visibility="internal")
        await add_events(place.connection, write.case_id, [noted])


HANDLERS: Handlers = dict([on(NoteOnCase, _notes_on_cases)])
