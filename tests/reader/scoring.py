"""Rules for the reasons that health is what it is, as our people are told them: each figure by the facts of the days before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import product

from tests.reader.care import kind_of, rhythm
from tests.reader.desk import Desk
from tests.reader.facts import REPORTED_WITHIN, Facts, Row

MEANWHILE = 4
"""Days at most between a score and the morning on which it is told."""
_ASKED = re.compile(r"/(?:request_renewal|answer_renewal|amend_assets):")
_DAY_OF = r"(?P<day>\d{4}-\d\d-\d\d)"


def _subscribed(desk: Desk) -> dict[str, int]:
    held = desk.facts.held(desk.letter.created_at)
    return {code: seats for code, seats in held.items() if kind_of(desk, code) == "subscription"}


def _whole(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _seats(desk: Desk, found: re.Match[str]) -> None:
    """The share of all seats that are in use, of the products whose use was reported."""
    used = {code: desk.facts.use(code, desk.letter.created_at) for code in _subscribed(desk)}
    known = {code: means for code, means in used.items() if means}
    seats = sum(units for code, units in _subscribed(desk).items() if code in known)
    if not desk.same("count", int(found["seats"]), seats):
        return
    sums = {sum(map(_whole, means)) for means in product(*known.values())}
    desk.among("count", int(found["share"]), {_whole(Decimal(100 * active) / seats) for active in sums})


def _trend(desk: Desk, found: re.Match[str]) -> None:
    """By how much use has grown or fallen since four weeks before, of the product that is named or of the only one."""
    of = found["of"]
    if of:
        desk.own_words(of)
    trends = {
        _whole(100 * (now / then - 1))
        for code in _subscribed(desk)
        if of in (None, desk.facts.names[code])
        for now, then in _both_months(desk.facts, code, desk.letter.created_at)
    }
    desk.among("count", int(found["trend"].replace("−", "-")), trends)


def _both_months(facts: Facts, code: str, at: datetime) -> Iterator[tuple[Decimal, Decimal]]:
    """Means of daily users over the last 28 days and over the 28 before, by any of the reports that may have been the last one."""
    today = facts.day(at)
    rows = [row for row in facts.rows("usage_day", product_code=code) if 0 <= (today - row["day"]).days < 56]
    for since in range(MEANWHILE + 1):  # the days are counted from the score's own
        for late in range(REPORTED_WITHIN + 1):
            ages = [((today - row["day"]).days - since, row["active_users"]) for row in rows]
            recent = [users for age, users in ages if late <= age < 28]
            earlier = [users for age, users in ages if 28 <= age < 56]
            if recent and any(earlier):
                yield Decimal(sum(recent)) / len(recent), Decimal(sum(earlier)) / len(earlier)


def _breadth(desk: Desk, found: re.Match[str]) -> None:
    """So many of their products are used."""
    codes = _subscribed(desk)
    used = [code for code in codes if any(map(_whole, desk.facts.use(code, desk.letter.created_at)))]
    desk.same("count", (int(found["n"]), int(found["total"])), (len(used), len(codes)))


def _heard(desk: Desk, found: re.Match[str]) -> None:
    last = max((at for at in _words_of_theirs(desk.facts) if at <= desk.letter.created_at), default=None)
    _days_since(desk, int(found["n"]), last)


def _ordered_since(desk: Desk, found: re.Match[str]) -> None:
    placed = (row["activated_at"] for row in desk.facts.tables["sales_order"])
    last = max((at for at in placed if at <= desk.letter.created_at), default=None)
    _days_since(desk, int(found["n"]), last)


def _never_heard(desk: Desk, found: re.Match[str]) -> None:
    _days_since(desk, int(found["n"]), desk.facts.account["since"])


def _days_since(desk: Desk, said: int, at: datetime | None) -> None:
    if at is None:
        desk.wrong("count", said, "it never was")
        return
    days = (desk.facts.day(desk.letter.created_at) - desk.facts.day(at)).days
    desk.among("count", said, set(range(max(0, days - MEANWHILE), days + 1)))


def _words_of_theirs(facts: Facts) -> Iterator[datetime]:
    """When a customer said or did something themselves."""
    tables = facts.tables
    yield from (row["at"] for row in tables["case_message"] if row["direction"] == "inbound" and not row["automatic"])
    yield from (row["opened_at"] for row in tables["service_case"])
    yield from (row["received_at"] for row in tables["inbox_message"] if row["status"] == "matched")
    yield from (
        row["answered_at"] for table in ("survey", "case_survey") for row in tables[table] if row["answered_at"]
    )
    yield from (row["settled_at"] for row in tables["offer"] if row["status"] in ("accepted", "declined"))
    yield from (row["recorded_at"] for row in tables["contract_term"] if row["origin"] == "accepted")
    yield from (row["at"] for row in tables["journal"] if _ASKED.search(row["key"]))
    tasks = (row for row in tables["onboarding_task"] if row["status"] == "done" and row["completed_by"] != "system")
    yield from (row["completed_at"] for row in tasks)


def _unanswered(desk: Desk, found: re.Match[str]) -> None:
    """A contract ends on its last day, by which an answer is waited for."""
    last = date.fromisoformat(found["day"])
    terms = desk.facts.rows("contract_term", contract_id=found["contract"])
    desk.among("date", last, {term["until"] - timedelta(days=1) for term in terms})
    left = (last - desk.facts.day(desk.letter.created_at)).days
    desk.among("count", int(found["n"]), set(range(left, left + MEANWHILE + 1)))


def _ordered(desk: Desk, found: re.Match[str]) -> None:
    days, usual = rhythm(desk.facts, desk.letter.created_at)
    silent = (desk.facts.day(desk.letter.created_at) - days[-1]).days if days else -1
    desk.among("count", int(found["n"]), set(range(silent - MEANWHILE, silent + 1)))
    desk.same("count", int(found["rhythm"]), usual)


def _open_cases(desk: Desk) -> list[Row]:
    at = desk.letter.created_at

    def still(row: Row) -> bool:
        ends = (row["resolved_at"], row["closed_at"])
        return bool(row["opened_at"] <= at) and all(end is None or end > at for end in ends)

    return [row for row in desk.facts.tables["service_case"] if still(row)]


def _cases_open(desk: Desk, found: re.Match[str]) -> None:
    desk.same("count", int(found["n"]), len(_open_cases(desk)))


def _oldest_case(desk: Desk, found: re.Match[str]) -> None:
    _days_since(desk, int(found["n"]), min((row["opened_at"] for row in _open_cases(desk)), default=None))


def _of_cases(desk: Desk, found: re.Match[str]) -> None:
    """So many cases of the last half year, of which some were late or came back."""
    at = desk.letter.created_at
    lately = [
        row["case_id"]
        for row in desk.facts.tables["service_case"]
        if row["opened_at"] <= at and row["status"] not in ("merged", "cancelled")
        and (row["resolved_at"] is None or row["resolved_at"] > at - timedelta(days=180))
    ]  # fmt: skip
    desk.same("count", int(found["total"]), len(lately))
    late = {
        row["case_id"]
        for row in desk.facts.rows("case_milestone", kind="resolution")
        if row["violated_at"] and row["violated_at"] <= at and row["reversed_at"] is None
    }
    back = {row["case_id"] for row in desk.facts.rows("case_event", kind="reopened") if row["at"] <= at}
    bad = back if "reopened" in found[0] or "再開" in found[0] else late
    desk.same("count", int(found["n"]), len(bad.intersection(lately)))


def _rated(desk: Desk, found: re.Match[str]) -> None:
    """The mean of the ratings of cases in the half year before the latest one."""
    at = desk.letter.created_at
    rows = [row for row in desk.facts.tables["case_survey"] if row["answered_at"] and row["answered_at"] <= at]
    latest = max((row["answered_at"] for row in rows), default=at)
    scores = [row["score"] for row in rows if row["answered_at"] > latest - timedelta(days=180)]
    mean = (Decimal(sum(scores)) / len(scores)).quantize(Decimal("0.1"), ROUND_HALF_UP) if scores else None
    desk.same("count", (Decimal(found["mean"]), int(found["n"])), (mean, len(scores)))
    if found["ago"]:
        _days_since(desk, int(found["ago"]), latest)


def _recommends(desk: Desk, found: re.Match[str]) -> None:
    """The latest answer to whether they would recommend us, and how old it was."""
    at = desk.letter.created_at
    asked = desk.facts.rows("survey", kind="nps")
    rows = [row for row in asked if row["answered_at"] and row["answered_at"] <= at]
    latest = max(rows, key=lambda row: row["answered_at"], default=None)
    desk.same("count", int(found["score"]), latest["score"] if latest else None)
    if found["ago"]:
        _days_since(desk, int(found["ago"]), latest["answered_at"] if latest else None)


def _latest(desk: Desk, found: re.Match[str]) -> None:
    """A score on record, of the last days before it was told."""
    at = desk.letter.created_at
    rows = [row for row in desk.facts.tables["health_score"] if row["at"] <= at]
    lately = [row for row in rows if row["at"] > at - timedelta(days=8)] or rows[-1:]
    desk.among("count", int(found["score"]), {row["score"] for row in lately})


_AGO = r"(?:(?P<ago>\d+) days? ago|today)"
_AGO_JA = r"(?:(?P<ago>\d+)日前|本日)"
RULES: tuple[tuple[str, Callable[[Desk, re.Match[str]], None]], ...] = (
    (r"Health is \w+, (?P<score>\d+)", _latest),
    (r"健全性は「\w+」（(?P<score>\d+)点）", _latest),
    (r"(?P<share>\d+) % of (?P<seats>\d+) seats? in use(?: on average)?", _seats),
    (r"(?:1日平均で)?(?P<seats>\d+)席の(?P<share>\d+) ?%を利用", _seats),
    (r"use(?: of (?P<of>[^\n;]+?))? (?P<trend>[-+−]?\d+) % in 28 days", _trend),
    (r"28日間の(?:(?P<of>[^\n；、]+?)の)?利用の増減(?P<trend>[-+−]?\d+) ?%", _trend),
    (r"(?P<n>\d+) of (?P<total>\d+) products are used", _breadth),
    (r"(?P<total>\d+)製品中(?P<n>\d+)製品を利用", _breadth),
    (r"(?<!never )heard from them (?P<n>\d+) days? ago", _heard),
    (r"最後の連絡は(?P<n>\d+)日前", _heard),
    (r"(?<=, )ordered (?P<n>\d+) days? ago", _ordered_since),
    (r"(?<!最後の)ご注文は(?P<n>\d+)日前", _ordered_since),
    (r"never heard from them in (?P<n>\d+) days?", _never_heard),
    (r"(?P<n>\d+)日間連絡なし", _never_heard),
    (
        rf"(?P<contract>\S+) ends on {_DAY_OF}: (?:quoted, no answer yet|not offered yet), (?P<n>\d+) days? left",
        _unanswered,
    ),
    (rf"(?P<contract>[^\s；、]+)は{_DAY_OF}に満了：(?:見積済み・)?回答待ち（残り(?P<n>\d+)日）", _unanswered),
    (r"last order (?P<n>\d+) days? ago, usual rhythm (?P<rhythm>\d+) days?", _ordered),
    (r"最後のご注文は(?P<n>\d+)日前（通常は(?P<rhythm>\d+)日ごと）", _ordered),
    (r"(?P<n>\d+) cases? open(?=, the worst)", _cases_open),
    (r"対応中の案件(?P<n>\d+)件", _cases_open),
    (r"the oldest open case is (?P<n>\d+) days? old", _oldest_case),
    (r"最も古い案件は(?P<n>\d+)日経過", _oldest_case),
    (r"(?P<n>\d+) of (?P<total>\d+) cases? (?:resolved later than promised|reopened)", _of_cases),
    (r"案件(?P<total>\d+)件中(?P<n>\d+)件が(?:約束より遅い解決|再開)", _of_cases),
    (rf"would recommend: (?P<score>\d+) of 10 \({_AGO}\)", _recommends),
    (rf"推奨度10点中(?P<score>\d+)点（{_AGO_JA}）", _recommends),
    (rf"cases rated (?P<mean>[\d.]+) of 5 \((?P<n>\d+) answers?, {_AGO}\)", _rated),
    (rf"案件の評価は5点中(?P<mean>[\d.]+)点（回答(?P<n>\d+)件、{_AGO_JA}）", _rated),
)
"""What the sentences say that `domain/success` gives as reasons, each with the rule that holds it against the facts."""
