"""What each of our people reads on a Monday morning: what is late, due and comes back this week, who is held, what ends soon. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from domain.frame.customer import ContractStatus, StaffFacts
from domain.frame.staff_tasks import TaskState
from domain.journey.task_follow_up import OwedTask
from domain.kernel.base import Carried
from domain.kernel.calendar import business_day_from, local_day, local_instant, start_of_day
from domain.kernel.shown import counted

WEEK = timedelta(days=7)
RENEWALS_AHEAD = timedelta(days=90)
MADE_UP_WITHIN = timedelta(days=2)
"""So long a week that nobody could be told of on its morning is still told of."""
LINES = 12
"""Of each kind; how many more there are is said."""


class HeldCustomer(Carried):
    """A customer from whom service holds sales back, and why."""

    company: str
    says: str


class EndingTerm(Carried):
    """A contract whose term ends soon."""

    contract_id: str
    company: str
    ends_at: datetime
    time_zone: str
    auto_renew: bool
    status: ContractStatus


@dataclass(frozen=True)
class Week:
    """A week of one of our people, from its Monday, in their zone, with all that they have to do or to know."""

    person: StaffFacts
    monday: date
    time_zone: str
    tasks: Sequence[OwedTask] = field(default=())
    held: Sequence[HeldCustomer] = field(default=())
    ending: Sequence[EndingTerm] = field(default=())


def monday_to_tell(as_of: datetime, zone: str, country: str) -> date | None:
    """The Monday of the week that begins for somebody there by now: told at nine of its first business day, or up to two days later."""
    today = local_day(as_of, zone)
    monday = today - timedelta(days=today.weekday())
    at = local_instant(business_day_from(monday, country), zone)
    return monday if at <= as_of < at + MADE_UP_WITHIN else None


def told(week: Week, as_of: datetime) -> tuple[str, list[str]] | None:
    """Title and lines of what somebody reads about their week; null for who has nothing in it."""
    sections = _sections(week, as_of)
    lines = [line for found in sections for line in _at_most(found)]
    if not lines:
        return None
    late, due, back, held, ending = map(len, sections)
    counts = (
        f"{late} late" if late else "",
        f"{due} due" if due else "",
        f"{back} back" if back else "",
        f"{counted(held, 'customer')} held" if held else "",
        f"{counted(ending, 'renewal')} coming" if ending else "",
    )
    return f"Your week from {week.monday}: {', '.join(filter(None, counts))}", lines


def _sections(week: Week, as_of: datetime) -> list[list[str]]:
    today = start_of_day(local_day(as_of, week.time_zone), week.time_zone)
    ends = start_of_day(week.monday + WEEK, week.time_zone)
    tasks = sorted(week.tasks, key=lambda one: (one.task.counts_from, one.task.task_id))
    open_now = [one for one in tasks if one.task.state(as_of) is TaskState.OPEN]
    resting = [one for one in tasks if one.task.state(as_of) is TaskState.SNOOZED]
    return [
        [_task("Late since", one) for one in open_now if one.task.counts_from < today],
        [_task("Due on", one) for one in open_now if today <= one.task.counts_from < ends],
        [_task("Comes back on", one) for one in resting if one.task.counts_from < ends],
        [f"Sales is held back from {one.company}: {one.says}" for one in week.held],
        [_renewal(one) for one in sorted(week.ending, key=lambda one: (one.ends_at, one.contract_id))],
    ]


def _task(when: str, owed: OwedTask) -> str:
    day = local_day(owed.task.counts_from, owed.time_zone)
    return f"{when} {day}: {owed.task.title} ({owed.company})"


def _renewal(term: EndingTerm) -> str:
    last = local_day(term.ends_at - timedelta(seconds=1), term.time_zone)
    how = "it renews by itself" if term.auto_renew else "it needs a yes"
    if term.status == ContractStatus.DECLINED:
        how = "its renewal is declined"
    return f"Contract {term.contract_id} of {term.company} ends on {last}: {how}"


def _at_most(lines: list[str]) -> Iterable[str]:
    yield from lines[:LINES]
    if len(lines) > LINES:
        yield f"and {len(lines) - LINES} more"
