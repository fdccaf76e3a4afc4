"""Rules for what a check-in says of the time since the last one, of what is next and of one thing to try; and for when none is due."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tests.reader.desk import Desk, Finding
from tests.reader.facts import Facts, Row
from tests.reader.letters import Letter

RHYTHMIC = ("check_in", "reorder_check_in")
"""Mails that come again and again, so never twice in the same words."""
IN_A_ROW = timedelta(days=90)
"""After so long words have been forgotten."""
AHEAD = 120
_ANSWERED = ("answer_offer", "answer_renewal", "accept_quote", "decline_quote", "request_renewal")


def since_the_last(desk: Desk, use: dict[str, Any] | None, of: set[str]) -> None:
    """What has changed, what is next, and what can be tried: all of it on record, and of a product whose use was told (one of `of`)."""
    _last_one(desk)
    _uses_between(desk)
    _news(desk)
    _term_end(desk)
    tip = desk.first(
        {
            "en": "One thing to try: {free:int} seats for {product} can be given",
            "ja": "一つのご提案：{product}は、あと{free:int}席をすぐに",
        }
    ) or desk.first({"en": "One thing to try: {free:int} seat for {product} can be given"})
    if tip and use:
        desk.same("count", tip["free"], use["seats"] - use["active"])
    elif tip:
        desk.wrong("count", tip["free"], "no use is known")
    for name in [*([tip["product"]] if tip else []), *_least_used(desk)]:
        desk.among("offer", name, of)
    desk.fixed({"en": "Half an hour together"}, {"en": "One thing to try"})
    desk.fixed({"en": "for a quarter of an hour", "ja": "15分ほど使い方を"}, {"ja": "30分ほどご一緒に"})


def _least_used(desk: Desk) -> list[str]:
    tip = desk.first({"en": "One thing to try: {product} is what", "ja": "一つのご提案：{product}は、ほかに"})
    return [tip["product"]] if tip else []


def _last_one(desk: Desk) -> None:
    said = desk.first({"en": "since our check-in of {day:date}", "ja": "前回（{day:date}）"})
    earlier = [
        row["created_at"]
        for row in desk.facts.rows("outbox", channel="deliver_mail")
        if row["body"]["template"] == "check_in" and row["created_at"] < desk.letter.created_at
    ]
    if said:
        desk.same("date", said["day"], desk.facts.day(max(earlier)) if earlier else None)


def _uses_between(desk: Desk) -> None:
    """Each figure is that of one of their products at nine on a day on which it was looked at."""
    facts = desk.facts
    days = {facts.day(row["at"]) for row in facts.tables["journal"] if "/adoption/check-in-" in row["key"]}
    for noun, of in (("seats", True), ("seat", True), ("seats", False), ("seat", False)):
        for said in desk.each(
            {
                "en": f"In use as of {{day:date}} | {{active:int}} of {{seats:int}} {noun}{' for {product}' if of else ''}\n",
                "ja": f"{{day:date}}時点のご利用 | {{seats:int}}席のうち{{active:int}}席{'（{product}）' if of else ''}\n",
            }
        ):
            desk.among("date", said["day"], days)
            at = datetime.combine(said["day"], time(9), facts.zone)
            right = [
                (int(mean.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)), seats)
                for code, seats in facts.held(at).items()
                if said.get("product", facts.names[code]) == facts.names[code]
                for mean in facts.use(code, at)
            ]
            desk.among("count", (said["active"], said["seats"]), right)


def _news(desk: Desk) -> None:
    """What is new is theirs now, what is no longer there is not."""
    owned = {desk.facts.names[code] for code in desk.facts.held(desk.at)}
    for words, theirs in (
        ({"en": r"^New: (.+)\.$", "ja": r"^新しく加わったもの：(.+)$"}, True),
        ({"en": r"^No longer there: (.+)\.$", "ja": r"^ご利用が終わったもの：(.+)$"}, False),
    ):
        match = re.search(words[desk.script.language], desk.left, re.MULTILINE)
        for name in re.split(r", |、", match[1]) if match else ():
            if name not in desk.facts.names.values() or (name in owned) is not theirs:
                desk.wrong("offer", match[0] if match else "", f"they have {', '.join(sorted(owned))}")
        if match:
            desk.blot(match.start(1), match.end(1))


def _term_end(desk: Desk) -> None:
    ends = desk.first(
        {
            "en": "the current term of your contract {id:thing} ends on {day:date}",
            "ja": "ご契約（{id:text}）の現在の期間は、{day:date}に",
        }
    )
    said = ends or desk.first(
        {
            "en": "your contract {id:thing} renews by itself after {day:date}",
            "ja": "ご契約（{id:text}）は、{day:date}までの期間が終わりますと、自動で",
        }
    )
    if not said:
        return
    contract = str(said["id"]).partition(" (")[0]
    row = desk.facts.one("contract", contract_id=contract)
    if row is not None and row["auto_renew"] is (ends is not None):
        desk.wrong("date", contract, "whether it renews by itself, as it does")
    days = {row["until"] - timedelta(days=1) for row in desk.facts.rows("contract_term", contract_id=contract)}
    desk.among("date", said["day"], days)
    if not timedelta(0) <= said["day"] - desk.today <= timedelta(days=AHEAD):
        desk.wrong("date", said["day"], f"a day of the next {AHEAD}")


def repeated(letters: list[Letter]) -> list[Finding]:
    """Nobody reads the same words twice in a row; what comes in a rhythm has another subject, too."""
    findings = []
    by_reader: dict[tuple[str, str], list[Letter]] = defaultdict(list)
    for letter in letters:
        if not letter.staff:
            by_reader[letter.to_email.lower(), letter.template].append(letter)
    for (_, template), some in by_reader.items():
        for before, after in itertools.pairwise(some):
            same = before.lines == after.lines and after.sent_at - before.sent_at < IN_A_ROW
            if same or (template in RHYTHMIC and before.subject == after.subject):
                findings.append(Finding("repeated", after, after.subject, "other words than in the mail before"))
    return findings


def beside_a_talk(facts: Facts, letters: list[Letter]) -> list[Finding]:
    """A check-in is left out if they talked with us in the last third of its rhythm."""
    terms = facts.terms_of_play()["adoption"]
    third = timedelta(days=(terms.get("write_every_days") or terms.get("every_days", 30)) // 3)
    findings = []
    for letter in letters:
        if letter.template != "check_in" or letter.sent_at - letter.created_at > timedelta(hours=1):
            continue
        talks = [
            at
            for at in _talks(facts)
            if timedelta(0) < letter.created_at - at and facts.day(letter.created_at) - facts.day(at) <= third
        ]
        if talks:
            findings.append(
                Finding("pace", letter, f"we talked on {facts.day(max(talks))}", "no check-in so soon after")
            )
    return findings


def _talks(facts: Facts) -> list[datetime]:
    messages: list[Row] = facts.tables["case_message"]
    wrote = {row["case_id"] for row in messages if row["direction"] == "inbound"}
    spoken = [row["at"] for row in messages if row["channel"] == "phone" and row["direction"] == "inbound"]
    answered = [
        row["at"]
        for row in messages
        if row["direction"] == "outbound" and not row["automatic"] and row["case_id"] in wrote
    ]
    asked = [
        row["at"] for row in facts.tables["journal"] if row["key"].split("/", 1)[-1].partition(":")[0] in _ANSWERED
    ]
    return [*spoken, *answered, *asked]
