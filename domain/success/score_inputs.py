"""What each measure of a customer comes to, from what is on record: a value, where it is from, how old it is, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from domain.frame.case_words import Priority
from domain.frame.customer import ContractStatus
from domain.frame.health_facts import CaseSign, HealthEvidence, PaymentStatus, RenewalSign, UseSign
from domain.kernel.money import half_up
from domain.kernel.shown import counted
from domain.success.rhythm import order_rhythm
from domain.success.score_profiles import Measure

HALF_A_YEAR = timedelta(days=180)
RENEWAL_FROM = timedelta(days=120)
"""So long before its last day for an answer a renewal begins to count."""
NO_ANSWER = timedelta(days=30)
"""With so few days left, no answer is a bad sign."""


@dataclass(frozen=True)
class MeasuredValue:
    """A measure as it was found. `value`: a number, a word, or null if it is not known; `day`: that of its latest fact.

    bad: false for what is no reason of a fall, whatever it weighs. applies: false for what a customer cannot have, such as seats
    where nothing is subscribed: it weighs nothing.
    """

    value: Decimal | str | None
    says: str
    source: str
    day: date | None = None
    applies: bool = True
    bad: bool = True


def find(evidence: HealthEvidence, measure: Measure) -> MeasuredValue:
    """What a measure comes to for a customer."""
    return _FINDERS[measure](evidence)


def seats_in_use(use: UseSign) -> int:
    """Active users of a product in whole users: the mean of 28 days, or the last count."""
    return int(half_up().apply(use.last or Decimal(0) if use.recent is None else use.recent))


def _reported(evidence: HealthEvidence) -> list[UseSign]:
    return [use for use in evidence.products if use.latest_day is not None]


_USAGE = "usage reports"


def _no_use(evidence: HealthEvidence) -> MeasuredValue:
    return MeasuredValue(None, "no usage was reported for eight weeks", _USAGE, applies=bool(evidence.products))


def _seats(evidence: HealthEvidence) -> MeasuredValue:
    uses = _reported(evidence)
    if not uses:
        return _no_use(evidence)
    seats, active = sum(use.seats for use in uses), sum(seats_in_use(use) for use in uses)
    average = "" if any(use.recent is None for use in uses) else " on average"
    share = Decimal(active) / seats
    return MeasuredValue(
        share, f"{_percent(share)} of {counted(seats, 'seat')} in use{average}", _USAGE, _latest_use(uses)
    )


def _trend(evidence: HealthEvidence) -> MeasuredValue:
    found = [
        (use.recent / use.earlier - 1, use) for use in _reported(evidence) if use.recent is not None and use.earlier
    ]
    if not found:
        says = "no usage of two stretches of four weeks to compare"
        return MeasuredValue(None, says, _USAGE, applies=bool(evidence.products))
    change, use = min(found, key=lambda pair: (pair[0], pair[1].product))
    of = f" of {use.name}" if len(evidence.products) > 1 else ""
    falls = int(half_up().apply(change * 100)) < 0
    return MeasuredValue(change, f"use{of} {_signed(change)} in 28 days", _USAGE, use.latest_day, bad=falls)


def _breadth(evidence: HealthEvidence) -> MeasuredValue:
    uses, many = _reported(evidence), len(evidence.products)
    if many < 2:
        return MeasuredValue(None, "they have one product alone", _USAGE, applies=False)
    if not uses:
        return _no_use(evidence)
    used = sum(seats_in_use(use) > 0 for use in uses)
    idle = sorted(use.name for use in evidence.products if use not in uses or not seats_in_use(use))
    says = f"{used} of {many} products are used" + (f", not {', '.join(idle[:3])}" if idle else "")
    return MeasuredValue(Decimal(used) / many, says, _USAGE, _latest_use(uses))


def _latest_use(uses: list[UseSign]) -> date | None:
    """The oldest of the latest days: no figure is fresher than the one that lags behind."""
    return min((use.latest_day for use in uses if use.latest_day), default=None)


def _order_rhythm(evidence: HealthEvidence) -> MeasuredValue:
    if not evidence.orders:
        return MeasuredValue(None, "no goods were ordered", "orders", applies=False)
    rhythm = order_rhythm(evidence.orders, evidence.reorder)
    silent = (evidence.today - max(evidence.orders)).days
    says = f"last order {counted(silent, 'day')} ago, usual rhythm {counted(rhythm, 'day')}"
    return MeasuredValue(Decimal(silent) / rhythm, says, "orders", max(evidence.orders))


def _onboarding(evidence: HealthEvidence) -> MeasuredValue:
    tasks = evidence.tasks
    if tasks is None or not tasks.total:
        return MeasuredValue(None, "nothing is to be onboarded", "onboarding", applies=False)
    if tasks.settled >= tasks.total:
        return MeasuredValue(Decimal(0), "onboarding done", "onboarding", evidence.today)
    late = f", {tasks.late} late" if tasks.late else ""
    # What is under way is not done: a fifth of the points comes with the last task.
    share = Decimal("0.2") + Decimal("0.8") * tasks.late / tasks.total
    return MeasuredValue(share, f"onboarding {tasks.settled} of {tasks.total}{late}", "onboarding", evidence.today)


_DESK = "service cases"


def _lately(evidence: HealthEvidence) -> list[CaseSign]:
    return [case for case in evidence.cases if case.open or case.at > evidence.as_of - HALF_A_YEAR]


def _quiet() -> MeasuredValue:
    return MeasuredValue(None, "no case within half a year, which says nothing", _DESK, applies=False)


def _open_cases(evidence: HealthEvidence) -> MeasuredValue:
    cases = _lately(evidence)
    if not cases:
        return _quiet()
    opened = [case for case in cases if case.open]
    if not opened:
        return MeasuredValue("none", "no case is open", _DESK, evidence.today)
    worst = min(
        opened, key=lambda case: (not case.escalated, not case.refund_dispute, case.priority.rank, case.opened_at)
    )
    word = "escalated" if worst.escalated else "refund_dispute" if worst.refund_dispute else worst.priority.value
    many = f"{counted(len(opened), 'case')} open, the worst {word.replace('_', ' ')}: {worst.case_id}"
    return MeasuredValue(word, many, _DESK, evidence.today)


def _backlog(evidence: HealthEvidence) -> MeasuredValue:
    opened = [case.opened_at for case in evidence.cases if case.open]
    if not opened:
        return MeasuredValue(None, "no case is open", _DESK, applies=False)
    age = (evidence.as_of - min(opened)).days
    return MeasuredValue(Decimal(age), f"the oldest open case is {counted(age, 'day')} old", _DESK, evidence.today)


def _counting(says: str, bad: Callable[[CaseSign], bool]) -> Callable[[HealthEvidence], MeasuredValue]:
    def counts(evidence: HealthEvidence) -> MeasuredValue:
        cases = _lately(evidence)
        if not cases:
            return _quiet()
        many = sum(map(bad, cases))
        return MeasuredValue(Decimal(many), f"{many} of {counted(len(cases), 'case')} {says}", _DESK, evidence.today)

    return counts


def _money_back(evidence: HealthEvidence) -> MeasuredValue:
    claims = [one for one in evidence.claims if one.at > evidence.as_of - HALF_A_YEAR]
    if not claims:
        return MeasuredValue(None, "no money was asked back", "claims", applies=False)
    waiting = sum(one.waiting for one in claims)
    says = f"money asked back {counted(len(claims), 'time')}" + (f", {waiting} not decided" if waiting else "")
    # What waits weighs twice: a refund that was given is a kindness, one that is due a grievance.
    return MeasuredValue(Decimal(len(claims) + waiting), says, "claims", max(evidence.day_of(one.at) for one in claims))


def _ratings(evidence: HealthEvidence) -> MeasuredValue:
    if not evidence.ratings:
        return MeasuredValue(None, "no case was rated", "surveys of cases")
    latest = evidence.ratings[-1].at
    within = [one.score for one in evidence.ratings if one.at > latest - HALF_A_YEAR]
    mean = Decimal(sum(within)) / len(within)
    says = f"cases rated {half_up(1).apply(mean)} of 5 ({counted(len(within), 'answer')}, {_ago(evidence, latest)})"
    return MeasuredValue(mean, says, "surveys of cases", evidence.day_of(latest))


def _recommends(evidence: HealthEvidence) -> MeasuredValue:
    answer = evidence.recommends
    if answer is None:
        return MeasuredValue(None, "they were not asked whether they would recommend us, or did not say", "survey")
    says = f"would recommend: {answer.score} of 10 ({_ago(evidence, answer.at)})"
    return MeasuredValue(Decimal(answer.score), says, "survey", evidence.day_of(answer.at))


def _silence(evidence: HealthEvidence) -> MeasuredValue:
    heard, ordered = evidence.heard_at, evidence.ordered_at
    latest = max(at for at in (heard, ordered, evidence.since) if at is not None)
    days = (evidence.today - evidence.day_of(latest)).days
    if heard is None:
        never = (evidence.today - evidence.day_of(evidence.since)).days
        says = f"never heard from them in {counted(never, 'day')}"
    else:
        says = f"heard from them {_ago(evidence, heard)}"
    if ordered is not None and latest == ordered > evidence.since:
        says += f", ordered {_ago(evidence, ordered)}"
    return MeasuredValue(Decimal(days), says, "messages, answers, orders", evidence.today)


def _sponsor(evidence: HealthEvidence) -> MeasuredValue:
    if evidence.sponsor is not None:
        return MeasuredValue("known", f"{evidence.sponsor} is the sponsor", "contacts", evidence.today)
    if evidence.sponsor_left_at is not None:
        return MeasuredValue(
            "left", f"the sponsor has left, {_ago(evidence, evidence.sponsor_left_at)}", "contacts", evidence.today
        )
    return MeasuredValue(None, "no sponsor is on record", "contacts")


def _renewal(evidence: HealthEvidence) -> MeasuredValue:
    found = [pair for sign in evidence.renewals if (pair := _renewal_of(evidence, sign)) is not None]
    if not found:
        return MeasuredValue(None, "no renewal is near", "contracts", applies=False)
    word, says = min(found, key=lambda pair: _WORST_FIRST.index(pair[0]))
    return MeasuredValue(word, says, "contracts", evidence.today)


_WORST_FIRST = ("grace", "declined", "no_answer", "open", "quoted", "by_itself", "requested", "renewed")


def _renewal_of(evidence: HealthEvidence, sign: RenewalSign) -> tuple[str, str] | None:
    left = sign.answer_by - evidence.today
    of, last = sign.contract_id, sign.until - timedelta(days=1)
    if sign.status in (ContractStatus.GRACE, ContractStatus.DECLINED):
        if sign.requested_at is not None and sign.requested_at > sign.status_at:
            return "requested", f"they asked for the renewal of {of} after all"
        says = (
            f"{of} ran out on {last} and is in grace"
            if sign.status is ContractStatus.GRACE
            else f"the renewal of {of} is declined, and its last day is {last}"
        )
        return sign.status.value, says
    if left > RENEWAL_FROM:
        return None
    if sign.renewed:
        return "renewed", f"{of} is renewed"
    if sign.requested_at is not None:
        return "requested", f"they asked for the renewal of {of}"
    if sign.auto_renew:
        when = f"by itself after {last}"
        return (
            "by_itself",
            f"{of} renews {when}, and can be declined until {sign.answer_by}"
            if left.days >= 0
            else f"{of} renews {when}",
        )
    how = "quoted, no answer yet" if sign.quoted_at else "not offered yet"
    says = f"{of} ends on {last}: {how}, {counted(max(left.days, 0), 'day')} left"
    return ("no_answer" if left < NO_ANSWER else "quoted" if sign.quoted_at else "open"), says


def _invoices(evidence: HealthEvidence) -> MeasuredValue:
    if not evidence.payments:
        return MeasuredValue(None, "no payment is on record", "payments")
    latest = max(evidence.day_of(one.at) for one in evidence.payments)
    overdue = [one for one in evidence.payments if one.status is PaymentStatus.OVERDUE]
    if not overdue:
        return MeasuredValue(Decimal(0), "invoices are paid", "payments", latest)
    oldest = min(overdue, key=lambda one: one.day)
    days = max(0, (evidence.today - oldest.day).days)
    says = (
        f"{counted(len(overdue), 'invoice')} overdue, the oldest (number {oldest.invoice}) for {counted(days, 'day')}"
    )
    return MeasuredValue(Decimal(days), says, "payments", evidence.today)


def pressing_since(evidence: HealthEvidence) -> datetime | None:
    """Since when the oldest urgent case is open."""
    return min(
        (case.opened_at for case in evidence.cases if case.open and case.priority is Priority.URGENT), default=None
    )


def _ago(evidence: HealthEvidence, at: datetime) -> str:
    days = (evidence.today - evidence.day_of(at)).days
    return f"{counted(days, 'day')} ago" if days > 0 else "today"


def _percent(share: Decimal) -> str:
    return f"{half_up().apply(share * 100)} %"


def _signed(share: Decimal) -> str:
    return f"{int(half_up().apply(share * 100)):+} %"


_FINDERS: Mapping[Measure, Callable[[HealthEvidence], MeasuredValue]] = {
    Measure.SEATS: _seats,
    Measure.TREND: _trend,
    Measure.BREADTH: _breadth,
    Measure.ORDER_RHYTHM: _order_rhythm,
    Measure.ONBOARDING: _onboarding,
    Measure.OPEN_CASES: _open_cases,
    Measure.BACKLOG: _backlog,
    Measure.BROKEN_PROMISES: _counting("resolved later than promised", lambda case: case.resolution_late),
    Measure.REOPENED: _counting("reopened", lambda case: case.reopened),
    Measure.MONEY_BACK: _money_back,
    Measure.RATINGS: _ratings,
    Measure.RECOMMENDS: _recommends,
    Measure.SILENCE: _silence,
    Measure.SPONSOR: _sponsor,
    Measure.RENEWAL: _renewal,
    Measure.INVOICES: _invoices,
}
