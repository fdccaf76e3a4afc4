"""Who calls: a number, an address or a name opens the whole customer."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from activities.kernel.phones import dialled
from domain.orders.order import read_order
from domain.service.callers import Caller, MatchedBy, summary_of, surest
from gateway.calls import CallDesk
from gateway.cases import CaseClient
from tests.builders import order
from tests.conftest import Servers


@pytest.fixture
async def caller(servers: Servers) -> tuple[dict[str, Any], str]:
    """An account with a telephone number of its own; the number in international form."""
    document = order()
    own = f"{uuid.uuid4().int % 10**8:08d}"
    document["account"]["name"] = f"Capricorn Coffee {uuid.uuid4().hex[:8]} 株式会社"
    document["contacts"][0] |= {"phone": f"03-{own[:4]}-{own[4:]}", "email": f"misaki@{uuid.uuid4().hex[:10]}.example"}
    await servers.client.place_order(document)
    return document, f"+813{own}"


@pytest.mark.parametrize(
    ("number", "country", "international"),
    [
        ("03-1234-5678", "JP", "+81312345678"),
        ("(030) 1234567 ext. 12", "DE", "+49301234567"),
        ("+81 (3) 1234 5678", None, "+81312345678"),
        ("0081 3 1234 5678", None, "+81312345678"),
        ("0081 3 1234 5678", "DE", "+81312345678"),
        ("12", "JP", None),
        ("03-1234-5678", None, None),
        ("no number", "JP", None),
    ],
)
def test_numbers_are_read_as_they_are_dialled(number: str, country: str | None, international: str | None) -> None:
    assert dialled(number, country) == international


def test_an_order_without_numbers_has_its_fingerprint_of_before() -> None:
    document = order("A-digest")
    same = {**document, "contacts": [{**document["contacts"][0], "phone": None}]}
    other = {**document, "contacts": [{**document["contacts"][0], "phone": "03-1234-5678"}]}
    digest = read_order(document).digest()
    assert read_order(same).digest() == digest
    assert read_order(other).digest() != digest


def test_the_surest_sign_counts() -> None:
    found = [
        Caller(account_id="b", company="B", by=MatchedBy.NAME),
        Caller(account_id="a", company="A", contact_id="p", by=MatchedBy.PHONE),
        Caller(account_id="a", company="A", contact_id="p", by=MatchedBy.PHONE),
    ]
    assert surest(found) == [found[1]]
    assert surest([]) == []


@pytest.mark.engine
async def test_any_way_to_name_a_customer_opens_them(servers: Servers, caller: tuple[dict[str, Any], str]) -> None:
    document, number = caller
    desk = CallDesk(servers.pool, servers.client)
    account_id, email = document["account"]["account_id"], document["contacts"][0]["email"]
    for asked, country, by in (
        (number, None, "phone"),
        (f"00{number[1:]}", None, "phone"),
        (document["contacts"][0]["phone"], "JP", "phone"),
        (document["contacts"][0]["phone"], None, "phone"),
        (email.upper(), None, "email"),
        (f"colleague@{email.partition('@')[2]}", None, "domain"),
        (account_id, None, "account"),
        (document["account"]["name"][4:25], None, "name"),
    ):
        answer = await desk.look_up(asked, country=country)
        assert answer.accounts == [account_id], asked
        assert answer.callers[0].by == by
        assert answer.customer is not None
    for nobody in ("+81399999999", "zz@nowhere-at-all.example", "x@gmail.com", "100%", "_", "", "1"):
        assert (await desk.look_up(nobody)).callers == []


async def test_several_customers_are_listed_and_none_is_opened(servers: Servers) -> None:
    shared = f"Twin {uuid.uuid4().hex[:8]}"
    for letter in "AB":
        document = order()
        document["account"]["name"] = f"{shared} {letter}"
        await servers.client.place_order(document)
    answer = await CallDesk(servers.pool, servers.client).look_up(shared.lower())
    assert [found.company for found in answer.callers] == [f"{shared} A", f"{shared} B"]
    assert answer.customer is None


async def test_the_whole_customer_is_before_the_agent(servers: Servers, caller: tuple[dict[str, Any], str]) -> None:
    document, number = caller
    account_id = document["account"]["account_id"]
    cases = CaseClient(servers.temporal, servers.pool)
    case_id = f"C-{uuid.uuid4().hex[:8]}"
    await cases.open_case(
        {
            "case_id": case_id,
            "account_id": account_id,
            "contact_id": "P-1",
            "subject": "Terminal is down",
            "body": "Since nine o'clock.",
            "channel": "mail",
            "impact": "high",
            "urgency": "high",
        }
    )
    answer = await CallDesk(servers.pool, servers.client).look_up(number)
    view = answer.customer
    assert view is not None
    assert (view.company, view.segment, view.owner.name) == (document["account"]["name"], "standard", "Olga Owner")
    assert view.success_manager.name == "Sam Success"
    assert [(one.name, one.phone) for one in view.contacts] == [("山本 葵", document["contacts"][0]["phone"])]
    assert {line.product for line in view.owns} == {"TERMINAL"}  # the contract begins next month
    [case] = view.cases
    assert (case.case_id, case.priority, case.promise) == (case_id, "urgent", "first_response")
    assert case.due_at is not None
    assert "block" in {hold.level.value for hold in view.holds}
    assert view.hold_level == "block"
    assert "Terminal is down" in {message.what for message in view.messages}
    what_comes = {line.what: line.why for line in view.next}
    assert f"case {case_id}: first response" in what_comes
    assert "kickoff" in what_comes
    head = summary_of(view)
    assert (head["open cases"], head["sales"], head["health"]) == ("1 urgent", "is held back", "unknown")


async def test_a_look_up_walks_no_table(servers: Servers) -> None:
    """Numbers and addresses are found by an index, however many contacts there are."""
    async with servers.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        for condition in (
            "lower(email) = 'a@b.example'",
            "lower(split_part(email, '@', 2)) = 'b.example'",
            "phone_number = '+81312345678'",
            "phone_number is not null and reverse(phone_number) like '8765432%'",
            "lower(name) like '%coffee%'",
        ):
            plan = await connection.fetch(f"explain select 1 from contact where {condition}")
            assert not any("Seq Scan" in row[0] for row in plan), condition
