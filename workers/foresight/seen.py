"""What has happened on a copy since it was made: everything that is on record now and was not then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from activities.journey import foreseen, reports
from activities.kernel.pool import Connection
from domain.frame.flight import Channel, DeliveryStatus
from domain.frame.keys import within_account
from domain.journey.agenda import Running
from domain.kernel.calendar import local_day
from workers.embedded.mailbox import MailSummary

_OURS = ("/reconcile:", "/case_retry:")
"""What was asked to begin the copy's life is nothing that happens to the customer."""


@dataclass(frozen=True)
class Mark:
    """What was on record when the copy was made, at the customer's own time: by keys."""

    at: datetime
    journal_id: int
    settled: frozenset[str]
    documents: frozenset[str]
    terms: frozenset[tuple[str, int]]
    tasks: frozenset[tuple[str, datetime]]


async def mark(connection: Connection, account_id: str, at: datetime) -> Mark:
    """What is on record now, `at` for the customer."""
    messages = await foreseen.messages_of(connection, account_id)
    terms = await reports.renewals_of(connection, account_id)
    tasks = await foreseen.staff_tasks_of(connection, account_id)
    return Mark(
        at,
        max((row["journal_id"] for row in await reports.journal_of(connection, account_id, 0)), default=0),
        frozenset(row["delivery_id"] for row in messages if row["status"] != DeliveryStatus.WAITING),
        frozenset(row["id"] for row in await reports.billed_of(connection, account_id)),
        frozenset((row["contract_id"], row["term"]) for row in terms),
        frozenset((row["key"], row["opened_at"]) for row in tasks),
    )


async def what_happened(
    connection: Connection,
    account_id: str,
    zone: str,
    known: Mark,
    mailbox: Sequence[MailSummary],
    running: Running | None,
) -> dict[str, Any]:
    """Everything new, each with its instant `at` or its local day `on`, in order:

    `steps` (key, stage, kind, says), `mails` and `notices` (to, name, subject, status), `documents` (invoices and credit memos),
    `renewals` (terms that began), `contracts` (where each stands in the end), `tasks` (of our people), `open_tasks` (of onboardings),
    `health` (each change of band), `cases`, and `waits` (what was set aside, or stuck on its way).
    """
    messages = [
        row for row in await foreseen.messages_of(connection, account_id) if row["delivery_id"] not in known.settled
    ]
    sent = {mail.message_id: mail for mail in mailbox}
    return {
        "steps": _steps(await reports.journal_of(connection, account_id, known.journal_id), account_id, zone),
        "mails": [_message(row, sent, zone) for row in messages if row["channel"] == Channel.MAIL],
        "notices": [_message(row, sent, zone) for row in messages if row["channel"] == Channel.NOTICE],
        "documents": [
            {**row, "issued_on": row["issued_on"].isoformat()}
            for row in await reports.billed_of(connection, account_id)
            if row["id"] not in known.documents
        ],
        **_contracts(await reports.renewals_of(connection, account_id), known),
        "tasks": [
            {
                "on": local_day(row["opened_at"], zone).isoformat(),
                "due_on": local_day(row["due_at"], zone).isoformat(),
                "owner": row["owner"],
                "says": row["title"],
                "done": row["closed_at"] is not None,
            }
            for row in await foreseen.staff_tasks_of(connection, account_id)
            if (row["key"], row["opened_at"]) not in known.tasks
        ],
        "open_tasks": [
            {"on": row["due_on"].isoformat(), "stage": row["stage"], "task": row["name"], "owner": row["owner"]}
            for row in await reports.open_tasks(connection, account_id)
        ],
        "health": _bands(await reports.health_of(connection, account_id), zone, known),
        "cases": [_said(row) for row in await reports.cases_of(connection, account_id)],
        "waits": _waits(running),
    }


def _steps(rows: Iterable[dict[str, Any]], account_id: str, zone: str) -> list[dict[str, Any]]:
    return [
        {
            "at": row["at"].isoformat(),
            "on": local_day(row["at"], zone).isoformat(),
            "step": within_account(account_id, row["key"]),
            "stage": row["stage"],
            "kind": row["kind"],
            "says": row["title"],
        }
        for row in rows
        if not any(ours in row["key"] for ours in _OURS)
    ]


def _message(row: dict[str, Any], sent: dict[str | None, MailSummary], zone: str) -> dict[str, Any]:
    left = sent.get(row["message_id"]) if row["message_id"] else None
    return {
        "at": row["at"].isoformat(),
        "on": local_day(row["at"], zone).isoformat(),
        "to": left.to if left else None,
        "name": row["name"],
        "role": row["role"],
        "subject": left.subject if left else None,
        "template": row["template"],
        "stage": row["stage"],
        "status": row["status"],
        **({"why": row["reason"]} if row["reason"] else {}),
    }


def _contracts(terms: Sequence[dict[str, Any]], known: Mark) -> dict[str, Any]:
    latest = {row["contract_id"]: row for row in terms}
    return {
        "renewals": [
            {
                "on": row["start_on"].isoformat(),
                "contract": row["contract_id"],
                "term": row["term"],
                "last_day": row["last_day"].isoformat() if row["last_day"] else None,
            }
            for row in sorted(terms, key=lambda row: (row["start_on"], row["contract_id"]))
            if (row["contract_id"], row["term"]) not in known.terms
        ],
        "contracts": [
            {
                "contract": row["contract_id"],
                "status": row["status"],
                "why": row["status_reason"],
                "last_day": row["last_day"].isoformat() if row["last_day"] else None,
            }
            for row in latest.values()
        ],
    }


def _bands(scores: Sequence[dict[str, Any]], zone: str, known: Mark) -> list[dict[str, Any]]:
    changes = [
        (before, after)
        for before, after in zip([None, *scores], scores, strict=False)
        if after["at"] > known.at and (before is None or before["band"] != after["band"])
    ]
    return [
        {"on": local_day(after["at"], zone).isoformat(), "band": after["band"], "score": after["score"]}
        for _, after in changes
    ]


def _said(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in row.items()}


def _waits(running: Running | None) -> list[str]:
    if running is None:
        return []
    stuck = [f"{one.channel.value}: {one.id}" for one in running.deliveries if one.stuck]
    return [*(step.key for step in running.parked), *stuck]
