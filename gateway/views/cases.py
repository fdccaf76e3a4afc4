"""Cases: the list of a customer, and one whole, with its thread, promises, claims, and what it holds back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime

from activities.kernel.pool import Connection
from activities.mail.inbox import files_of_case
from activities.service.case_pages import cases_of, cases_of_all, claims_of_case
from activities.service.case_reports import Row, holds_of_case, read_case
from domain.frame.access import FieldGroup
from domain.frame.case_words import CaseState
from domain.holds.holds import Hold
from domain.journey.customer_timeline import Cursor
from gateway.views.pages import Page, page_of
from gateway.views.shown import View
from gateway.views.whose import Whose


class CaseLine(View):
    """A case in a list. `promise` is the one that is due next."""

    case_id: str
    account_id: str | None
    subject: str
    channel: str
    category: str
    status: CaseState
    priority: str
    escalated: bool
    owner: str | None
    team: str | None
    product: str | None
    opened_at: AwareDatetime
    first_response_at: AwareDatetime | None
    resolved_at: AwareDatetime | None
    last_activity_at: AwareDatetime
    resolution_code: str | None
    promise: str | None
    due_at: AwareDatetime | None


class Promise(View):
    """A promise of a case. `target` and `elapsed` are open time, in seconds."""

    milestone: str
    number: int
    kind: str
    state: str
    started_at: AwareDatetime
    target: float | None
    due_at: AwareDatetime | None
    completed_at: AwareDatetime | None
    violated_at: AwareDatetime | None
    reversed_at: AwareDatetime | None
    elapsed: float | None


class CaseFile(View):
    """A file that came with a mail: `number` counts those of one mail from 1, `size` is in bytes."""

    mail: str
    number: int
    name: str
    media_type: str
    size: int
    at: AwareDatetime
    sender: str


class ThreadMessage(View):
    """A message between the customer and us; `case_id` is another one's for a thread that was merged into this one. `delivery_id`: of
    ours, the mail that it left as."""

    case_id: str
    number: int
    at: AwareDatetime
    direction: str
    channel: str
    sender: str
    recipient: str
    subject: str
    body: str
    automatic: bool
    template: str | None
    delivery_id: str | None = None
    files: list[CaseFile] = []


class CaseEvent(View):
    """Something that happened in a case."""

    sequence: int
    at: AwareDatetime
    kind: str
    by: str
    detail: dict[str, Any]


class MoneyBack(View):
    """Money that was asked back in a case."""

    claim_id: str
    kind: str
    order_id: str | None
    line_id: str | None
    currency: str
    amount: Annotated[Decimal, FieldGroup.PRICES]
    status: str
    approval: str
    claimed_at: AwareDatetime
    claimed_by: str
    decided_at: AwareDatetime | None
    decided_by: str | None
    decision: Annotated[str, FieldGroup.NOTES]
    credit_memo_id: str | None


class Case(CaseLine):
    """One case, whole. `notes` are what our people shared about it, `internal` those of service alone; `files` came with mails that
    none of the messages is, such as those of our people."""

    company: str | None
    contact_id: str | None
    contact: dict[str, Any]
    status_reason: str
    impact: str
    urgency: str
    asset_id: str | None
    contract_id: str | None
    order_id: str | None
    line_id: str | None
    policy_id: str | None
    entitlement_id: str | None
    entitled: bool
    closed_at: AwareDatetime | None
    resolution_text: str | None
    reopen_count: int
    merged_into: str | None
    parent_id: str | None
    follows_id: str | None
    promises: list[Promise]
    messages: list[ThreadMessage]
    events: list[CaseEvent]
    notes: Annotated[list[CaseEvent], FieldGroup.NOTES]
    internal: Annotated[list[CaseEvent], FieldGroup.INTERNAL]
    claims: list[MoneyBack]
    holds: list[Hold]
    files: list[CaseFile] = []


async def cases_page(
    connection: Connection, whose: Whose, place: Cursor | None, limit: int, *, only_open: bool = False
) -> Page[CaseLine]:
    """The cases of a customer, the latest first."""
    return await page_of(CaseLine, cases_of, connection, place, limit, whose.account_id, only_open)


@dataclass(frozen=True)
class CasesWanted:
    """Which cases: in a state, of one of our people or of a team, of a priority or a category; `open`: that are not over; `late`: whose
    promise is over; `looked_after_by`: only of customers of one of our people."""

    state: CaseState | None = None
    owner: str | None = None
    team: str | None = None
    priority: str | None = None
    category: str | None = None
    open: bool = False
    escalated: bool = False
    late: bool = False
    looked_after_by: str | None = None


async def cases_page_of_all(
    connection: Connection, wanted: CasesWanted, now: datetime, place: Cursor | None, limit: int
) -> Page[CaseLine]:
    """Cases over all customers, the latest first."""
    of = (wanted.state, wanted.open, wanted.owner, wanted.team, wanted.priority, wanted.category)
    more = (wanted.escalated, wanted.late, now, wanted.looked_after_by)
    return await page_of(CaseLine, cases_of_all, connection, place, limit, *of, *more)


async def case(connection: Connection, case_id: str, now: datetime) -> Case | None:
    """One case at an instant; null if there is none of that id."""
    found = await read_case(connection, case_id)
    if found is None:
        return None
    claims = await claims_of_case(connection, case_id)
    holds = await holds_of_case(connection, found, now)
    files = await files_of_case(connection, case_id)
    return _case(found, [row["claim"] for row in claims], holds, files)


def _case(found: Row, claims: list[Row], holds: list[Row], files: list[Row]) -> Case:
    row, events = found["case"], found["events"]
    running = [one for one in found["milestones"] if one["state"] == "open" and one["due_at"] is not None]
    first = min(running, key=lambda one: (one["due_at"], one["milestone"]), default=None)
    notes = [one for one in events if one["kind"] == "note"]
    known = {one["message_id"] for one in found["messages"]} - {None}
    brought = {id: [file for file in files if file["message_id"] == id] for id in known}
    elsewhere = [file for file in files if file["message_id"] not in known]
    return Case.model_validate(
        {
            **row,
            "owner": row["owner_id"],
            "product": row["product_code"],
            "company": found["company"],
            "promise": first["milestone"] if first else None,
            "due_at": first["due_at"] if first else None,
            "promises": [_promise(one) for one in found["milestones"]],
            "messages": [{**one, "files": brought.get(one["message_id"], ())} for one in found["messages"]],
            "files": elsewhere,
            "events": [one for one in events if one["kind"] != "note" and one["visibility"] == "shared"],
            "notes": [one for one in notes if one["visibility"] == "shared"],
            "internal": [one for one in events if one["visibility"] != "shared"],
            "claims": claims,
            "holds": holds,
        }
    )


def _promise(row: Row) -> Row:
    return {**row, "target": _seconds(row["target"]), "elapsed": _seconds(row["elapsed"])}


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
