"""Rules for what somebody new is told: who looks after them since when, how these people are reached, and what is under way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.reader.desk import Desk, Said, people
from tests.reader.facts import Row
from tests.reader.starting import title_of

_OWNER = {
    "en": "{name} looks after your contracts and orders at {seller} from {day:date} on, and can be reached at {email}.\n",
    "ja": "ご契約・ご注文につきましては、{day:date}より{name}（{email}）が担当いたします",
}


def introduction(desk: Desk) -> None:
    """Whoever is new, since the day on which it changed."""
    manager, owner = (people(desk.facts, role, desk.at) for role in ("success_manager", "owner"))
    said = desk.first(
        {
            "en": "My name is {name}. Since {day:date} I am your personal contact at {seller}",
            "ja": "このたび、{day:date}より{company}様の担当をさせていただく",
        }
    )
    known = desk.first(
        {
            "en": "You know me from your contracts and orders. Since {day:date} I am your personal contact at {seller} as well",
            "ja": "これまでご契約・ご注文を担当しておりましたが、{day:date}より{company}様の窓口も",
        }
    )
    if known:
        desk.same("name", owner and owner["staff_id"], manager and manager["staff_id"])
        said = known
    named = desk.first({"ja": "{seller}の{name}でございます"}) or Said()
    if said:
        _since(desk, said["day"], "success_manager")
        _is(desk, {"name": said.get("name") or named.get("name")}, manager)
        _is(desk, desk.must({"en": "You reach me at {email}.\n", "ja": "ご連絡先は{email}でございます"}) or {}, manager)
        if desk.first({"en": ", for contracts and orders as well", "ja": "（ご契約・ご注文も担当いたします）"}):
            _since(desk, said["day"], "owner")
            desk.same("name", owner and owner["staff_id"], manager and manager["staff_id"])
    if other := desk.first(_OWNER):
        _since(desk, other["day"], "owner")
        _is(desk, other, owner)
    if not said and not other:
        desk.wrong("unsaid", desk.letter.subject, "who is new")
    _under_way(desk)


def contact_welcome(desk: Desk) -> None:
    """What the customer has, what is under way, whom they ask."""
    held = {desk.facts.names[code] for code in desk.facts.held(desk.at)}
    held |= {
        desk.facts.names[line["product_code"]]
        for line in desk.facts.tables["order_line"]
        if line["contract_id"] is None
    }
    for name in desk.items():
        desk.among("offer", name, held)
    manager, owner = (people(desk.facts, role, desk.at) for role in ("success_manager", "owner"))
    _is(
        desk,
        desk.must({"en": "{name} ({email}) is your personal contact", "ja": "{name}（{email}）が担当として"}) or {},
        manager,
    )
    if said := desk.first(
        {
            "en": "; {name} ({email}) looks after contracts and orders",
            "ja": "ご契約・ご注文につきましては、{name}（{email}）が承ります",
        }
    ):
        _is(desk, said, owner)
    _under_way(desk)


def _is(desk: Desk, said: dict[str, Any], person: Row | None) -> None:
    for field in ("name", "email"):
        if said.get(field):
            desk.same("name", said[field], person[field] if person else None)


def _since(desk: Desk, said: object, what: str) -> None:
    days = {desk.facts.day(row["at"]) for row in desk.facts.rows("people_change", what=what)}
    desk.among("date", said, days)


def _under_way(desk: Desk) -> None:
    facts = desk.facts
    for words in (
        {"en": "Your open request: {ids:text}.", "ja": "対応中のお問い合わせ：{ids:text}\n"},
        {"en": "Your open requests: {ids:text}."},
        {"en": "Your company's open request: {ids:text}."},
        {"en": "Your company's open requests: {ids:text}."},
    ):
        for said in desk.each(words):
            for case_id in str(said["ids"]).replace("、", ", ").split(", "):
                case = facts.one("service_case", case_id=case_id.strip())
                if case is None or case["opened_at"] > desk.at:
                    desk.wrong("offer", case_id, "a case of theirs")
    open_ones = {
        title_of(desk, row): row["due_on"]
        for row in facts.rows("onboarding_task")
        if row["owner"] != "system" and (row["completed_at"] is None or row["completed_at"] > desk.at)
    }
    for cells in desk.rows(2):
        if desk.among("offer", cells[0], open_ones) and cells[1]:
            desk.same("date", desk.script.date(cells[1]), open_ones[cells[0]])
    for said in desk.each(
        {
            "en": "The current term of your contract {id:thing} ends on {day:date}",
            "ja": "ご契約（{id:text}）の現在の期間は、{day:date}に",
        }
    ):
        _ends(desk, said)
    for said in desk.each(
        {
            "en": "Your contract {id:thing} runs until {day:date} and renews by itself",
            "ja": "ご契約（{id:text}）は、{day:date}までの期間が終わりますと、自動で",
        }
    ):
        _ends(desk, said)
    for said in desk.each({"en": "The current term of the contract {id:thing} ends on {day:date}"}):
        _ends(desk, said)


def _ends(desk: Desk, said: dict[str, Any]) -> None:
    contract = str(said["id"]).partition(" (")[0]
    ends = {row["until"] - timedelta(days=1) for row in desk.facts.rows("contract_term", contract_id=contract)}
    desk.among("date", said["day"], ends)


RULES = {rule.__name__: rule for rule in (introduction, contact_welcome)}
"""What each mail must say, besides what all must."""
