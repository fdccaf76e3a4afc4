"""Rules for the mails of cases and of money given back."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from tests.reader.desk import Desk
from tests.reader.facts import Row

SOON = timedelta(seconds=2)


def _case(desk: Desk) -> Row | None:
    """The case that the mail is about; its number and subject may be named anywhere in it."""
    found = re.match(r"case:([^/#]+)", desk.letter.delivery_id)
    case = desk.facts.one("service_case", case_id=found[1]) if found else None
    if case is None:
        desk.wrong("offer", desk.letter.subject, "a case that is on record")
        return None
    if case["case_id"] not in desk.letter.text:
        desk.wrong("unsaid", desk.letter.subject, f"the number of the case, {case['case_id']}")
    if case["subject"] not in desk.letter.subject and desk.letter.template.startswith("case_"):
        desk.wrong("offer", desk.letter.subject, f"about {case['subject']}")
    desk.own_words(case["subject"])
    pattern = re.compile(rf"(?<![\w-]){re.escape(case['case_id'])}(?![\w-])")
    for match in list(pattern.finditer(desk.left)):
        desk.blot(match.start(), match.end())
    return case


def case_opened(desk: Desk) -> None:
    """By when the first answer is promised."""
    case = _case(desk)
    said = desk.first(
        {"en": "You will have an answer by {at:instant}", "ja": "{at:instant}までに、担当者よりご回答いたします"}
    )
    if case is None or said is None:
        return
    promised = [
        m
        for m in desk.facts.rows("case_milestone", case_id=case["case_id"])
        if m["kind"] == "first_response" and m["due_at"]
    ]
    desk.among("date", said["at"], [desk.local(m["due_at"]) for m in promised])
    if said["at"].day < desk.today:
        desk.wrong("date", said["at"], "an instant to come")


def case_apology(desk: Desk) -> None:
    """A promise was broken by now."""
    case = _case(desk)
    if case is None:
        return
    kind = "resolution" if re.search("promised to solve|解決に至って", desk.letter.text) else "first_response"
    broken = [
        m for m in desk.facts.rows("case_milestone", case_id=case["case_id"]) if m["kind"] == kind and m["violated_at"]
    ]
    if not any(m["violated_at"] <= desk.at + SOON for m in broken):
        desk.wrong("offer", kind, "that promise was kept")


def case_nudge(desk: Desk) -> None:
    """Since when we wait for them, and for what."""
    case = _case(desk)
    said = desk.must({"en": "We have been waiting since {at:instant}", "ja": "{on:date}にお伺いした件のご返信"})
    if case is None:
        return
    waits = [e for e in desk.facts.rows("case_event", case_id=case["case_id"]) if e["at"] <= desk.at]
    if said and "at" in said:
        desk.among("date", said["at"], [desk.local(e["at"]) for e in waits])
    elif said:
        desk.among("date", said["on"], [desk.facts.day(e["at"]) for e in waits])
    for event in waits:
        desk.own_words(str(event["detail"].get("reason") or ""))


def case_reply(desk: Desk) -> None:
    """What an agent wrote."""
    case = _case(desk)
    if case:
        _written(desk, case)


def case_resolved(desk: Desk) -> None:
    """What was done, in the agent's words."""
    case = _case(desk)
    if case is None:
        return
    _written(desk, case)
    done = [
        e
        for e in desk.facts.rows("case_event", case_id=case["case_id"])
        if e["kind"] == "resolved" and e["at"] <= desk.at + SOON
    ]
    if not done and case["resolved_at"] is None:
        desk.wrong("offer", desk.letter.subject, "it is not resolved")


def _written(desk: Desk, case: Row) -> None:
    words = {str(case["resolution_text"] or "")}
    for event in desk.facts.rows("case_event", case_id=case["case_id"]):
        words |= {value for value in event["detail"].values() if isinstance(value, str)}
    words |= {row["body"] for row in desk.facts.rows("case_message", case_id=case["case_id"])}
    repeated = [desk.own_words(text) for text in sorted(words, key=len, reverse=True) if len(text) > 3]
    if not any(repeated):
        desk.wrong("unsaid", desk.letter.subject, "what the agent wrote")


def case_survey(desk: Desk) -> None:
    """The question about a case that was solved; its number is on record."""
    case = _case(desk)
    said = desk.must({"en": "Reference: {id:id}\n", "ja": "アンケート番号：{id:id}\n"})
    if case and said and desk.facts.one("case_survey", survey_id=said["id"], case_id=case["case_id"]) is None:
        desk.wrong("offer", said["id"], "a survey that is on record")
    desk.fixed(
        {
            "en": "from 1 (not at all satisfied) to 5 (very satisfied)",
            "ja": "1（まったく満足していない）から5（とても満足している）まで",
        }
    )


def _claim(desk: Desk, kind: str) -> Row | None:
    _case_number(desk)
    claims = [
        c
        for c in desk.facts.rows("refund_claim", kind=kind)
        if c["decided_at"] is None or c["decided_at"] <= desk.at + SOON
    ]
    memo = desk.fact({"en": "Credit note", "ja": "返金明細書番号"}, "text")
    claim = next((c for c in claims if c["credit_memo_id"] == memo), None) if memo else None
    if memo and claim is None:
        desk.wrong("offer", memo, "a credit note that is on record")
    if claim:
        desk.own_words(memo)
        credit = desk.facts.one("credit_memo", credit_memo_id=memo)
        refund = desk.fact({"en": "Your refund", "ja": "ご返金額"}, "money") or desk.fact(
            {"en": "Credit", "ja": "金額"}, "money"
        )
        if refund and credit:
            desk.amount(refund, credit["total"], credit["currency"])
        tax = desk.fact({"en": "Tax in it", "ja": "うち税額"}, "money")
        if tax and credit:
            desk.amount(tax, credit["tax"], credit["currency"])
    return claim


def _case_number(desk: Desk) -> None:
    for row in desk.facts.tables["service_case"]:
        pattern = re.compile(rf"(?<![\w-]){re.escape(row['case_id'])}(?![\w-])")
        for match in list(pattern.finditer(desk.left)):
            desk.blot(match.start(), match.end())


def price_match(desk: Desk) -> None:
    """What was paid, what it costs now, and the difference that was credited."""
    claim = _claim(desk, "price_match")
    if claim is None:
        desk.wrong("offer", desk.letter.subject, "no such refund was made")
        return
    facts = desk.facts
    line = facts.one("order_line", order_id=claim["order_id"], line_id=claim["line_id"])
    product = facts.names[line["product_code"]] if line else ""
    bought = desk.must({"en": "fell after your purchase of {day:date}", "ja": "{day:date}にご購入いただきました"})
    if bought:
        desk.same("date", bought["day"], claim["paid_on"])
    desk.same("offer", desk.fact({"en": "Order", "ja": "ご注文番号"}, "text"), claim["order_id"])
    desk.same("count", desk.fact({"en": "Units", "ja": "対象数量"}, "int"), claim["quantity"])
    for name, column in (
        ({"en": "You paid for one", "ja": "ご購入時の単価"}, "unit_paid"),
        ({"en": "Price now", "ja": "現在の単価"}, "unit_now"),
    ):
        said = desk.fact(name, "money")
        if said:
            desk.amount(said, claim[column], claim["currency"])
    if product not in desk.letter.text or product not in desk.letter.subject:
        desk.wrong("offer", desk.letter.subject, product)
    desk.own_words(product)


def goodwill_granted(desk: Desk) -> None:
    """A credit for trouble with something that they have."""
    claim = _claim(desk, "goodwill")
    if claim is None:
        desk.wrong("offer", desk.letter.subject, "no such credit was given")
        return
    for name in sorted({*desk.facts.names.values()}, key=len, reverse=True):
        if name in desk.letter.subject and any(
            row["product_code"] and desk.facts.names[row["product_code"]] == name
            for t in ("asset", "order_line")
            for row in desk.facts.tables[t]
        ):
            desk.own_words(name)
            break


def claim_declined(desk: Desk) -> None:
    """A refund that was asked for and turned down."""
    _case_number(desk)
    said = desk.first({"en": "You asked us to refund {amount:money}", "ja": "ご返金（{amount:money}）につきまして"})
    claims = [c for c in desk.facts.tables["refund_claim"] if c["status"] in ("rejected", "timed_out")]
    if said and not any(
        Decimal(c["amount"]) == said["amount"].value or c["gross"] == said["amount"].value for c in claims
    ):
        desk.wrong(
            "amount", said["amount"].value, ", ".join(str(c["amount"]) for c in claims) or "nothing was declined"
        )
    for claim in claims:
        line = desk.facts.one("order_line", order_id=claim["order_id"], line_id=claim["line_id"])
        if line:
            desk.own_words(desk.facts.names[line["product_code"]])


RULES = {
    rule.__name__: rule
    for rule in (
        case_opened, case_apology, case_nudge, case_reply, case_resolved, case_survey, price_match, goodwill_granted, claim_declined,
    )
}  # fmt: skip
