"""`perennial journey foresee`: a customer's future, lived on a copy, as a calendar with a picture by month."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rich.markup import escape

from activities.journey.agenda_facts import load_facts
from activities.service.case_rows import open_cases
from activities.success.usage import latest_usage_day
from domain.frame.flight import DeliveryStatus
from domain.frame.term_facts import UNTIL_NOTICE
from domain.journey.agenda_facts import Facts
from domain.kernel.calendar import local_day, months_later
from domain.kernel.refusals import JOURNEY_CLOSED, UNKNOWN_ACCOUNT, Refusal
from domain.kernel.shown import counted
from domain.kernel.zones import local_time
from gateway.views.plans import time_of
from workers.cli.common import UserError, console, progress_console
from workers.cli.drawings import bar
from workers.cli.output import print_json, show_part
from workers.cli.servers import connections

_HORIZON = re.compile(r"(\d{1,4})\s*([dwmy])")
_MOST = timedelta(days=5 * 366)
_NARROW = 8


def read_horizon(text: str, now: datetime, zone: str) -> datetime:
    """The instant up to which `12m`, `90d`, `6w` or `2y` reaches from `now`, by the customer's calendar. Raises UserError."""
    found = _HORIZON.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UserError(f"{text!r} is no horizon; give a number with d, w, m or y, such as 12m or 90d")
    count, unit = int(found[1]), found[2]
    too_far = f"{text!r} is too far ahead; five years at most are lived, such as 12m or 2y"
    if count > _MOST.days:
        raise UserError(too_far)
    match unit:
        case "d" | "w":
            until = now + timedelta(days=count * (7 if unit == "w" else 1))
        case _:
            until = months_later(now, count * (12 if unit == "y" else 1), zone)
    if until - now > _MOST:
        raise UserError(too_far)
    return until


async def show_foresight(account: str, horizon: str, *, as_json: bool) -> None:
    """Lives the customer's time up to `horizon` on a copy, and prints what happened. Raises `Refusal` for an account that is not
    known or whose journey is closed."""
    from workers.foresight.living import USUAL, Subject, foresee  # with the whole worker; most commands need none

    async with connections() as servers:
        now, lost = await time_of(servers.client, account)
        async with servers.pool.acquire() as connection, connection.transaction(readonly=True):
            facts = await load_facts(connection, account, now, lost=lost)
            cases = [case.case_id for case in await open_cases(connection, account) if not case.over]
            latest = await latest_usage_day(connection, account)
        if facts is None:
            raise Refusal(UNKNOWN_ACCOUNT, f"account {account!r} is not on record; place its first order")
        if facts.record.closed_at is not None:
            closed = f"the journey of {account!r} was closed on {facts.record.closed_at:%Y-%m-%d}: nothing comes"
            raise Refusal(JOURNEY_CLOSED, f"{closed}; a new order begins a new one")
        now, zone = facts.now, facts.situation.customer.account.time_zone
        subject = Subject(account, zone, now, read_horizon(horizon, now, zone))
        recent = latest is not None and local_day(now, zone) - latest < USUAL
        with progress_console.status(f"{account}: what comes until {subject.until:%Y-%m-%d} …"):
            happened = await foresee(servers.pool, servers.settings, subject, _report)
    assumed = _assumed(facts, cases, latest if recent else None)
    found = {"account": account, "now": now.isoformat(), "time_zone": zone, "assumed": assumed, **happened}
    if as_json:
        print_json({**found, "months": by_month(found)})
    else:
        _show(found)


def _report(line: str) -> None:
    progress_console.print(f"[dim]{escape(line)}[/dim]")


def _assumed(facts: Facts, cases: list[str], latest: date | None) -> list[str]:
    """What was taken for granted, in sentences."""
    said = [
        "Nobody answers: tasks stay open, offers, quotes and surveys unanswered; no mail comes in.",
        "Nothing is bought, changed or cancelled beyond what is on record; prices stay; what is invoiced is paid.",
        "What is to be provided is ready at once; every mail arrives.",
        "Health, and what is due before renewals, is looked at once a week, and not every night.",
        f"Usage goes on as in the four weeks up to {latest}."
        if latest
        else "No usage was reported in the last four weeks, and none is.",
    ]
    if cases:
        said.append(f"{counted(len(cases), 'open case')} ({', '.join(cases)}): our people do nothing about it.")
    if (pause := facts.record.paused) is not None:
        zone = facts.situation.customer.account.time_zone
        until = f"until {local_time(pause.until, zone):%Y-%m-%d %H:%M}" if pause.until else "until somebody resumes it"
        said.append(f"The journey is paused ({pause.reason}) {until}: nothing is done by itself before.")
    return said


def by_month(found: dict[str, Any]) -> list[dict[str, Any]]:
    """For each month, by the customer's calendar: how many steps, mails, notices and tasks, and what was invoiced and credited,
    by currency, tax included."""
    zone = found["time_zone"]
    month, last = (local_day(datetime.fromisoformat(found[name]), zone).replace(day=1) for name in ("now", "until"))
    months: dict[str, dict[str, Any]] = {}
    while month <= last:
        months[f"{month:%Y-%m}"] = dict.fromkeys(_COUNTED, 0) | {"invoiced": {}, "credited": {}}
        month = (month + timedelta(days=31)).replace(day=1)
    for name in _COUNTED:
        for row in found[name]:
            if name in ("mails", "notices") and row["status"] != DeliveryStatus.SENT:
                continue
            months[row["on"][:7]][name] += 1
    for row in found["documents"]:
        into = months[row["issued_on"][:7]]["credited" if row["kind"] == "credit memo" else "invoiced"]
        into[row["currency"]] = str(Decimal(into.get(row["currency"], "0")) + Decimal(row["total"]))
    return [{"month": name, **figures} for name, figures in months.items()]


_COUNTED = ("steps", "mails", "notices", "tasks", "renewals")


def _show(found: dict[str, Any]) -> None:
    rows = sorted(_rows(found), key=lambda row: row[0])
    shown = [
        (on if n == 0 or rows[n - 1][0][0] != on else "", what, says) for n, ((on, _, _), what, says) in enumerate(rows)
    ]
    show_part(("!day", "what", "says"), shown, title=f"{found['account']}: what comes until {found['until'][:10]}")
    if not rows:
        console.print("Nothing comes.")
    _show_months(by_month(found))
    ends = [
        (one["contract"], one["status"], one["why"] or "", one["last_day"] or UNTIL_NOTICE)
        for one in found["contracts"]
    ]
    show_part(("contract", "stands", "why", "last day"), ends, title="Contracts in the end")
    for name in found["waits"]:
        console.print(f"[yellow]Set aside, or stuck: {escape(name)}[/]")
    console.print("\n[bold]Assumed[/]")
    for sentence in found["assumed"]:
        console.print(f"  {escape(sentence)}", soft_wrap=True)
    seconds = found["seconds"]
    said = f"Lived in {seconds['life']} s on a copy that took {seconds['copy']} s; the customer was not touched."
    console.print(f"\n{said}", highlight=False)


def _rows(found: dict[str, Any]) -> list[tuple[tuple[str, str, int], str, str]]:
    """Everything that happens: its day with the instant and a number for the order, what it is, what is said of it."""
    rows = [((one["on"], one["at"], 0), "step", one["says"] or one["step"]) for one in found["steps"]]
    for what, name in (("mail", "mails"), ("to us", "notices")):
        for one in found[name]:
            kept = "" if one["status"] == DeliveryStatus.SENT else f" [{one['status']}]"
            rows.append(((one["on"], one["at"], 1), what, f"{one['to'] or one['name']}: {_subject(one)}{kept}"))
    for one in found["documents"]:
        lines = ", ".join(dict.fromkeys(line["description"] for line in one["lines"]))
        says = f"{one['id']}: {Decimal(one['total']):,} {one['currency']} for {lines}"
        rows.append(((one["issued_on"], one["issued_on"] + "T24", 2), one["kind"], says))
    for one in found["renewals"]:
        until = f"until {one['last_day']}" if one["last_day"] else UNTIL_NOTICE
        says = f"{one['contract']}: term {one['term']}, {until}"
        rows.append(((one["on"], one["on"], 3), "renewal", says))
    for one in found["tasks"]:
        done = ", done" if one["done"] else ""
        rows.append(
            ((one["on"], one["on"] + "T24", 4), "task", f"{one['owner']}: {one['says']} (due {one['due_on']}{done})")
        )
    for one in found["health"]:
        rows.append(((one["on"], one["on"] + "T24", 5), "health", f"{one['score'] or ''} {one['band']}".strip()))
    return rows


def _subject(message: dict[str, Any]) -> str:
    return message["subject"] or message["template"] or "a notice"


def _show_months(months: list[dict[str, Any]]) -> None:
    """A picture by month: how much happens, and what it comes to."""
    most = {name: Decimal(max((row[name] for row in months), default=0)) for name in ("steps", "mails")}
    sums = [Decimal(amount) for row in months for amount in row["invoiced"].values()]
    rows = []
    for row in months:
        counts = [
            f"{bar(Decimal(row[name]), most[name], _NARROW):<{_NARROW}} {row[name]:>3}" for name in ("steps", "mails")
        ]
        money = [_amounts(row[name]) for name in ("invoiced", "credited")]
        largest = max(map(Decimal, row["invoiced"].values()), default=Decimal(0))
        rows.append(
            (
                row["month"],
                *counts,
                row["tasks"] or "",
                row["renewals"] or "",
                *money,
                bar(largest, max(sums, default=Decimal(0)), 16),
            )
        )
    names = ("!month", "steps", "mails", ">tasks", ">renewals", ">invoiced", ">credited", "")
    show_part(names, rows, title="By month")


def _amounts(by_currency: dict[str, str]) -> str:
    return " + ".join(f"{Decimal(amount):,} {currency}" for currency, amount in by_currency.items())
