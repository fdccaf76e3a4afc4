"""Two orders of one morning, lived for 14 months: few mails, and every fact that is owed stands in the mail in which it belongs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from activities.kernel.clock import present
from tests.conftest import Servers
from tests.reader.desk import DAY
from tests.reader.facts import Facts
from tests.reader.living import live, told_apart
from tests.reader.reading import read

STORY = Path(__file__).parent / "data" / "two_orders_in_lyon.yaml"
AT_MOST = 22
"""Messages in the 14 months, questions included. One for each mail would be 32."""
Owed = tuple[str, tuple[str, ...]]
"""The template of a mail, and what one of that template says."""


def _day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _money(amount: Decimal) -> str:
    return f"€{amount:,.2f}"


def _beginning(facts: Facts) -> Iterator[Owed]:
    """Orders, what happens next and by when, access, goods, the first month, go-live."""
    tasks = {row["name"]: (row["title"]["en"], _day(row["due_on"])) for row in facts.tables["onboarding_task"]}
    yield "welcome", ("choosing", "Desk")
    yield "welcome", ("LY-2-voice", "Stock", "Notebook")
    for name in ("kickoff", "training", "first_value", "go_live"):
        yield "welcome", tasks[name]
    yield "onboarding_invite", tasks["kickoff"]
    yield "onboarding_invite", tasks["training"]
    yield "provisioning_done", ("ready to use", "Desk", "Stock")
    yield "delivery_follow_up", ("LY-2-voice", "Notebook")
    yield "onboarding_reminder", tasks["first_value"]
    yield "touch_month_1", ("a month now",)
    done = {row["name"]: row["completed_at"] for row in facts.tables["onboarding_task"] if row["completed_at"]}
    placed = min(row["activated_at"] for row in facts.tables["sales_order"])
    yield "go_live", ("is live", f"{(facts.day(done['first_value']) - facts.day(placed)).days} days")


def _money_owed(facts: Facts) -> Iterator[Owed]:
    """Each invoice with its total, in a mail to whoever pays."""
    for row in facts.tables["invoice"]:
        about_seats = any(one["offer_id"] for one in facts.tables["offer"]) and facts.day(row["issued_at"]).month in (
            7,
            10,
        )
        yield "upsell_confirmed" if about_seats else "documents", (row["invoice_id"], _money(row["total"]))


def _caring(facts: Facts) -> Iterator[Owed]:
    """How they get on, what they are asked, help, more seats, and thanks for a year."""
    yield "check_in", ("Desk", "Stock", "Notebook", "of 20 seats", "We plan to be in touch again on")
    yield "check_in", ("since our check-in of February 4, 2027",)
    yield "check_in", ("of 23 seats",)
    yield "outreach", ("Stock", "7 of 20")
    yield "recovered", ("all of this is in regular use", "Desk: ", "Stock: ")
    yield "touch_anniversary", ("It is a year since",)
    scales = {"nps": ("from 0", "to 10"), "ces": ("from 1", "to 7")}
    for row in facts.tables["survey"]:
        yield "survey", (row["survey_id"], *scales[row["kind"]])
    for row in facts.tables["reference_ask"]:
        yield "reference", (row["reference_id"], "yes or no")
    for row in facts.tables["offer"]:
        until = _day(facts.day(row["expires_at"] - timedelta(seconds=1)))
        yield "upsell_offer", (row["offer_id"], f"| {row['add_quantity']}", _money(row["unit_price"]), until)
        change = _money(row["add_quantity"] * row["unit_price"])
        yield "upsell_confirmed", (_day(facts.day(row["settled_at"])), f"+{change}")


def _renewing(facts: Facts) -> Iterator[Owed]:
    """For each contract: when it ends and by when to answer, then what the next term costs, then that it is renewed."""
    for contract in facts.tables["contract"]:
        id = contract["contract_id"]
        first, second = facts.rows("contract_term", contract_id=id)
        quote = facts.one("renewal_quote", contract_id=id)
        assert quote is not None
        last = _day(first["until"] - DAY)
        term = f"{_day(second['start_on'])} – {_day(second['until'] - DAY)}"
        yield "renewal_notice", (id, f"let us know by {last}", "We will send you a quote in good time")
        yield "renewal_notice", (id, last, quote["quote_id"], _money(quote["total"]), term)
        yield "renewal_confirmed", (id, _money(quote["total"]), term)


async def test_two_orders_of_one_day_speak_with_one_voice(on_engine: Servers) -> None:
    story = told_apart(STORY, "voice")
    lived = await live(on_engine.client, on_engine.pool, on_engine.stack.mailbox, "two_orders", story, present())
    facts, letters = lived.facts, [letter for letter in lived.letters if not letter.staff]
    assert len({letter.message for letter in letters}) <= AT_MOST
    owed = [*_beginning(facts), *_money_owed(facts), *_caring(facts), *_renewing(facts)]
    for template, said in owed:
        told = [one for one in letters if one.template == template and all(words in one.text for words in said)]
        assert told, f"no {template} says {said}"
    counts = Counter(letter.template for letter in letters)
    assert set(counts) == {template for template, _ in owed}, "each mail is owed"
    assert Counter(row["kind"] for row in facts.tables["survey"]) == {"nps": 2, "ces": 1}
    assert len(facts.tables["invoice"]) == len({n for letter in letters for lines in letter.files for n in lines[:1]})
    assert [str(one) for one in read(facts, lived.letters).findings] == []
