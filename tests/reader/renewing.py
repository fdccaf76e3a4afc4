"""Rules for what mails say of a renewal beside its terms: versions of the quote, and what happens without an answer."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from tests.reader.desk import DAY, Desk, Rule, people
from tests.reader.facts import REPORTED_WITHIN, Row
from tests.reader.tables import rounded

_NUMBER = re.compile(r"\d+(?:,\d{3})*")
_UNCHANGED = {
    "en": "Without your confirmation the contract renews by itself as it is now: {units:int} units until {end:date}, for"
    " {total:money} in all.",
    "ja": "ご承諾のご連絡がない場合は、現在の内容（数量{units:int}、{end:date}まで、合計{total:money}）で自動更新されます。",
}


def months_between(start: date, end: date) -> int | None:
    """Whole months between two days; null if they are not whole."""
    months = (end.year - start.year) * 12 + end.month - start.month
    short = min(start.day, _days_in(end.year, end.month))
    return months if end.day in (short, start.day) or (end.day >= 28 and start.day >= 28) else None


def _days_in(year: int, month: int) -> int:
    return (date(year + month // 12, month % 12 + 1, 1) - DAY).day


def version_of(desk: Desk, contract: Row, term: Row, number: int) -> Row:
    """What the version of the quote says otherwise than the present term; nothing if it says nothing else."""
    found = desk.facts.one(
        "renewal_version", contract_id=contract["contract_id"], term=term["number"] + 1, version=number
    )
    if number > 1 and (found is None or found["state"] != "offered"):
        desk.wrong("offer", f"version {number}", "a version that is offered")
    return found or {}


def by_itself(desk: Desk, contract: Row, term: Row, offered: Row) -> None:
    """What a contract that renews by itself renews for, where the customer was offered other units or another length."""
    said = desk.first(_UNCHANGED)
    other = contract["auto_renew"] and bool(offered) and bool(offered["quantities"] or offered["months"])
    if other != (said is not None):
        desk.wrong(
            "offer" if said else "unsaid", desk.letter.subject, "what it renews by itself for" if other else "nothing"
        )
    if said is None:
        return
    own = [a["asset_id"] for a in desk.facts.rows("asset", contract_id=contract["contract_id"])]
    held = [
        p for p in desk.facts.tables["period"]
        if p["asset_id"] in own and p["ends_at"] is not None and p["starts_at"] < term["ends_at"] <= p["ends_at"]
    ]  # fmt: skip
    desk.same("count", said["units"], sum(period["quantity"] for period in held))
    begins = term["until"]
    months = begins.month - 1 + contract["renewal_months"]
    if begins.day <= 28:
        ends = begins.replace(year=begins.year + months // 12, month=months % 12 + 1) - DAY
        desk.same("date", said["end"], ends)
    raised = contract["uplift_percent"] if offered["uplift_percent"] is None else offered["uplift_percent"]
    if not raised and not offered["discount_percent"]:
        total = sum(period["mrr"] or 0 for period in held) * contract["renewal_months"]
        desk.amount(said["total"], rounded(total, contract["currency"]), contract["currency"])


def value(desk: Desk, contract: Row, term: Row) -> None:
    """What the term has brought until today: users, units, kept promises and money back, each as the tables have it."""
    facts = desk.facts
    said = desk.first(
        {
            "en": "from {since:date} until today",
            "ja": "{since:date}から本日までのご利用の実績は、以下のとおりでございます",
        }
    )
    if said is None:
        return
    desk.same("date", said["since"], term["start_on"])
    own = list(facts.rows("asset", contract_id=contract["contract_id"]))
    for code, name in {a["product_code"]: facts.name_of(a) for a in own}.items():
        active = desk.fact({"en": f"{name}, users on an average day", "ja": f"{name}（1日平均の利用者数）"}, "text")
        if active is not None:
            desk.among("count", int(desk.script.number(active.removesuffix("名"))), _users_of(desk, code, term))
    for asset in own:
        name = facts.name_of(asset)
        changed = desk.fact({"en": f"{name}, units", "ja": f"{name}（数量）"}, "text")
        if changed is not None:
            held = [_units(desk, asset, at) for at in (term["starts_at"], desk.letter.created_at)]
            desk.same("count", [int(one.replace(",", "")) for one in _NUMBER.findall(changed)], held)
    solved = desk.fact({"en": "Requests solved", "ja": "解決したお問い合わせ"}, "text")
    if solved is not None:
        desk.same("count", [int(one.replace(",", "")) for one in _NUMBER.findall(solved)], _promises(desk, term))
    back = desk.fact({"en": "Given back to you", "ja": "ご返金額"}, "money")
    if back is not None:
        claims = [
            row["amount"] for row in facts.rows("refund_claim", status="refunded", currency=contract["currency"])
            if term["starts_at"] <= row["claimed_at"] < desk.letter.created_at
        ]  # fmt: skip
        desk.amount(back, rounded(sum(claims, Decimal(0)), contract["currency"]), contract["currency"])


def _users_of(desk: Desk, code: str, term: Row) -> set[int]:
    """Users on an average day of the term so far, by any of the reports that may have been the last one."""
    found = set()
    for late in range(REPORTED_WITHIN + 1):
        until = desk.today - late * DAY
        days = [
            row["active_users"]
            for row in desk.facts.rows("usage_day", product_code=code)
            if term["start_on"] <= row["day"] < until
        ]
        if days:
            found.add(int((Decimal(sum(days)) / len(days)).quantize(Decimal(1), ROUND_HALF_UP)))
    return found


def _units(desk: Desk, asset: Row, at: datetime) -> int:
    """The units of an asset at an instant."""
    held = desk.facts.rows("period", asset_id=asset["asset_id"])
    return sum(
        row["quantity"] for row in held if row["starts_at"] <= at and (row["ends_at"] is None or at < row["ends_at"])
    )


def _promises(desk: Desk, term: Row) -> list[int]:
    """How many cases with a promise of their solution were solved within a term so far, and for how many it was kept."""
    facts = desk.facts
    solved = [
        row["case_id"] for row in facts.rows("service_case")
        if row["resolved_at"] and term["starts_at"] <= row["resolved_at"] < desk.letter.created_at
    ]  # fmt: skip
    promised = {
        case_id: [m for m in facts.rows("case_milestone", case_id=case_id) if m["kind"] == "resolution" and m["target"]]
        for case_id in solved
    }
    kept = [
        all(m["state"] == "met" and (m["violated_at"] is None or m["reversed_at"] is not None) for m in found)
        for found in promised.values() if found
    ]  # fmt: skip
    return [len(kept), sum(kept)]


def may_say_no(desk: Desk, gone: bool) -> None:
    """A no is offered by a link while it is taken, and not after that (`gone`). Of a mail of several parts it is not known whose a link is."""
    offered = {address.rpartition("/")[2] for _, address in desk.letter.links}
    if "accept" in offered and not desk.letter.led_by:
        desk.same("links", "decline" in offered, not gone)
    if gone:
        talk = {"en": "please talk to {who}.", "ja": "ご事情がございましたら、{who}までご相談ください"}
        said, owner = desk.must(talk), people(desk.facts, "owner", desk.at)
        if said and owner:
            desk.same("name", said["who"], owner["name"])


def asked_why(desk: Desk, contract: Row | None) -> None:
    """Whoever gave their reason is not asked for it, nor for what one of ours wrote down, nor twice; whoever did not is."""
    said = desk.first({"en": "What was the main reason?", "ja": "差し支えなければ、主な理由を一言お聞かせください"})
    known = desk.facts.one("contract_churn", contract_id=contract["contract_id"]) if contract else None
    given = (known is not None and known["at"] <= desk.letter.created_at) or _heard(desk, contract)
    if contract and given == (said is not None):
        desk.wrong(
            "offer" if said else "unsaid",
            desk.letter.subject,
            "the reason is known" if given else "nobody knows the reason",
        )
    desk.fixed({"en": "One word"})


def _heard(desk: Desk, contract: Row | None) -> bool:
    """One of ours wrote down why it was declined; or this is the farewell after that, of the day on which it ended."""
    staff = {row["staff_id"] for row in desk.facts.tables["staff"]} | {"operator"}
    declined = [
        row["detail"].get("by") for row in desk.facts.tables["journal"]
        if row["title"].startswith("Renewal declined: ") and row["at"] <= desk.at
        and contract and row["detail"].get("contract_id") == contract["contract_id"]
    ]  # fmt: skip
    return bool(declined) and (desk.letter.template == "contract_ended" or declined[-1] in staff)


def win_back(desk: Desk) -> None:
    """Somebody who left is asked once whether they come back, while nothing of theirs runs."""
    said = desk.must({"en": "Your contract {id:thing} has ended", "ja": "ご契約（{id:thing}）の終了から"})
    contract = desk.facts.one("contract", contract_id=desk.thing(said["id"], "contract")) if said else None
    if contract is None or contract["status"] != "ended":
        desk.wrong("offer", desk.letter.subject, "a contract of theirs that has ended")
    alive = [
        row["contract_id"]
        for row in desk.facts.rows("contract")
        if row["status_at"] <= desk.at and row["status"] != "ended"
    ]
    if alive:
        desk.wrong("offer", "a new beginning", f"{alive[0]} runs")


RULES: dict[str, Rule] = {"win_back": win_back}
