"""Rules for what mails say of a renewal beside its terms: versions of the quote, and what happens without an answer."""

from __future__ import annotations

from tests.reader.desk import DAY, Desk, Rule
from tests.reader.facts import Row
from tests.reader.tables import rounded

_UNCHANGED = {
    "en": "Without your confirmation the contract renews by itself as it is now: {units:int} units until {end:date}, for"
    " {total:money} in all.",
    "ja": "ご承諾のご連絡がない場合は、現在の内容（数量{units:int}、{end:date}まで、合計{total:money}）で自動更新されます。",
}


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


def asked_why(desk: Desk, contract: Row | None) -> None:
    """Whoever gave their reason is not asked for it, whoever did not is."""
    said = desk.first({"en": "What was the main reason?", "ja": "差し支えなければ、主な理由を一言お聞かせください"})
    known = desk.facts.one("contract_churn", contract_id=contract["contract_id"]) if contract else None
    given = known is not None and known["at"] <= desk.letter.created_at
    if contract and given == (said is not None):
        desk.wrong(
            "offer" if said else "unsaid",
            desk.letter.subject,
            "the reason is known" if given else "nobody knows the reason",
        )
    desk.fixed({"en": "One word"})


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
