"""Two orders of one morning, lived for 14 months: few mails, and every fact that is owed stands in one of them."""

from __future__ import annotations

from pathlib import Path

from activities.kernel.clock import present
from tests.conftest import Servers
from tests.reader import checking_in
from tests.reader.letters import Letter
from tests.reader.living import live, told_apart
from tests.reader.reading import pace

STORY = Path(__file__).parent / "data" / "two_orders_in_lyon.yaml"
AT_MOST, SURVEYS = 22, 4
"""Messages in the 14 months, and questions beside them, which leave alone: how easy the start was, and three times whether they would
recommend us. One for each mail would be 30 and more."""


def _said(letters: list[Letter]) -> str:
    files = "\n".join(line for letter in letters for lines in letter.files for line in lines)
    return "\n".join([*(letter.text for letter in letters), files])


async def test_two_orders_of_one_day_speak_with_one_voice(on_engine: Servers) -> None:
    story = told_apart(STORY, "voice")
    lived = await live(on_engine.client, on_engine.pool, on_engine.stack.mailbox, "two_orders", story, present())
    letters = [letter for letter in lived.letters if not letter.staff]
    assert len({letter.message for letter in letters if letter.template != "survey"}) <= AT_MOST
    assert len([letter for letter in letters if letter.template == "survey"]) <= SURVEYS
    assert len(letters) > len({letter.message for letter in letters}), "some say what several mails say"
    facts, said = lived.facts, _said(letters)
    for table, name in (("sales_order", "order_id"), ("contract", "contract_id"), ("invoice", "invoice_id")):
        assert all(row[name] in said for row in facts.tables[table] if row[name] != "LY-1-voice"), table
    assert {row["title"]["en"] for row in facts.tables["onboarding_task"] if row["name"] == "kickoff"} == {
        "Kickoff meeting"
    }
    promised = [row["title"]["en"] for row in facts.tables["onboarding_task"] if row["owner"] != "system"]
    assert all(title in said for title in promised)
    assert all(row["quote_id"] in said for row in facts.tables["renewal_quote"])
    assert all(product in said for product in ("Desk", "Stock", "Notebook"))
    assert [str(one) for one in pace(facts, letters)] == []
    assert [str(one) for one in checking_in.repeated(letters)] == []
    assert [str(one) for one in checking_in.beside_a_talk(facts, letters)] == []
