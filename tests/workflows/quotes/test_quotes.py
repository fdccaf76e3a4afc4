"""Quotes on the real engine: previewed, held for approval, taken, lapsed; and the order, assets and invoice that come of one."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from activities.assets.ledger import load_records
from activities.catalogue.catalogue import save_catalogue, save_price_book
from activities.kernel.computing import MANY
from activities.kernel.pool import Connection
from domain.assets.invariants import violations
from domain.catalogue.catalogue import Catalogue, Option, Product
from domain.catalogue.pricebook import PriceBook, PriceEntry, PriceUnit, Tier
from domain.frame.ownership import POLICY
from domain.kernel.calendar import add_months, local_day
from domain.kernel.refusals import Refusal
from domain.orders.order import ProductKind
from domain.quotes import asking, pricing
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, steps_of

MARK = uuid4().hex[:6]
CRM, ROUTER, CABLE, SUITE, LINE = (f"{name}-{MARK}" for name in ("crm", "router", "cable", "suite", "line"))


async def contract_paper(connection: Connection, contract_id: str, at: datetime) -> str | None:
    """Where a contract that came by a quote stands: drafted, signed, active, expired or withdrawn; null for any other."""
    status: str | None = await connection.fetchval(
        "select status from contract_event where contract_id = $1 and at <= $2"
        " order by at desc, array_position(array['drafted', 'withdrawn', 'signed', 'active', 'expired'], status) desc limit 1",
        contract_id,
        at,
    )
    return status


def product(code: str, kind: ProductKind, model: str, **facts: Any) -> Product:
    return Product.model_validate(
        {"code": code, "name": code.title(), "kind": kind, "selling_models": [model], **facts}
    )


CATALOGUE = Catalogue(
    products=(
        product(CRM, ProductKind.SUBSCRIPTION, "termed", term_months=12),
        product(ROUTER, ProductKind.DEVICE, "one_time"),
        product(CABLE, ProductKind.GOODS, "one_time"),
        product(LINE, ProductKind.SUPPORT, "evergreen"),
        product(
            SUITE,
            ProductKind.SUBSCRIPTION,
            "termed",
            term_months=12,
            options=(Option(product=CRM, least=1, default=2, child_quantity="Proportional"),),
        ),
    )
)


def entry(code: str, per: PriceUnit, price: str) -> PriceEntry:
    return PriceEntry(product=code, per=per, tiers=(Tier(price=Decimal(price)),))


BOOK = PriceBook(
    name=f"book-{MARK}",
    currency="JPY",
    valid_from=date(2020, 1, 1),
    entries=(
        entry(CRM, PriceUnit.MONTH, "1000"),
        entry(ROUTER, PriceUnit.ONCE, "30000"),
        entry(CABLE, PriceUnit.ONCE, "500"),
        entry(LINE, PriceUnit.MONTH, "300"),
        entry(SUITE, PriceUnit.YEAR, "120000"),
    ),
)


NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def begun(servers: Servers) -> tuple[dict[str, Any], str]:
    """A customer, and a catalogue with prices."""
    async with servers.pool.acquire() as connection, connection.transaction():
        await save_catalogue(connection, CATALOGUE, as_of=NOW)
        await save_price_book(connection, BOOK, as_of=NOW)
    document = order()
    document["contracts"][0]["first_invoice"] = "order"  # so that the invoices after the first are those of quotes
    await servers.client.place_order(document)
    return document, account_of(document)


def sale(line_id: str, code: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"line_id": line_id, "kind": "sale", "product": code, "quantity": quantity, **more}


def asked(quote_id: str, *lines: dict[str, Any], off: str | None = None, **more: Any) -> dict[str, Any]:
    discounts = [{"name": "friend", "value": off}] if off else []
    return {
        "quote_id": quote_id,
        "lines": list(lines),
        "discounts": discounts,
        "price_book": BOOK.name,
        "by": "s-1",
        **more,
    }


async def sound(servers: Servers, account: str) -> None:
    """The ledger keeps its invariants, and what was invoiced less what was credited is what it says."""
    async with servers.pool.acquire() as connection:
        records = await load_records(connection, account)
    assert [violations(record, POLICY) for record in records.values()] == [[]] * len(records)


async def invoiced(servers: Servers, account: str) -> list[Decimal]:
    rows = await servers.pool.fetch("select total from invoice where account_id = $1 order by number", account)
    return [row["total"] for row in rows]


@pytest.mark.engine
async def test_a_preview_writes_nothing_and_the_quote_comes_to_the_same(servers: Servers) -> None:
    _, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    request = asked(quote_id, sale("1", CRM, 10), sale("2", ROUTER, 2), off="5")
    shown = await servers.client.preview_quote(account, request)
    assert shown.totals.amount == Decimal(10 * 950 * 12 + 2 * 28500)
    assert await servers.pool.fetchval("select count(*) from quote where account_id = $1", account) == 0
    history = [event async for event in servers.handle(account).fetch_history_events()]
    assert not any("preview" in str(event) for event in history)
    answer = await servers.client.ask(account, "request_quote", {**request, "as_of": shown.as_of.isoformat()})
    assert (answer["as_of"], answer["state"]) == (shown.as_of.isoformat(), "presented")
    assert Decimal(answer["totals"]["amount"]) == shown.totals.amount
    old = (shown.as_of - timedelta(days=2)).isoformat()
    with pytest.raises(Refusal, match="preview again"):
        await servers.client.ask(account, "request_quote", {**request, "as_of": old})


async def test_a_quote_of_many_lines_keeps_nobody_waiting(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: dict[str, list[int]] = {"price": [], "carry_out": []}
    for name, where in (("price", asking), ("carry_out", pricing)):
        rule = getattr(where, name)

        def noted(*given: Any, rule: Any = rule, of: list[int] = threads[name], **more: Any) -> Any:
            of.append(threading.get_ident())
            return rule(*given, **more)

        monkeypatch.setattr(where, name, noted)
    _, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    request = asked(quote_id, *(sale(str(number), ROUTER, 1) for number in range(MANY + 1)))
    await servers.client.preview_quote(account, request)
    await servers.client.ask(account, "request_quote", request)
    await servers.client.ask(account, "accept_quote", {"quote_id": quote_id})
    assert [len(of) for of in threads.values()] == [2, 3]
    assert all(threading.get_ident() not in of for of in threads.values())


async def test_an_accepted_quote_becomes_contract_assets_and_invoice_at_once(servers: Servers) -> None:
    document, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    lines = (sale("1", CRM, 10), sale("2", ROUTER, 2), sale("3", CABLE, 4), sale("4", SUITE, 1))
    contract: dict[str, Any] = {"contract_id": f"KQ-{quote_id}", "auto_renew": True, "billing": "quarterly"}
    await servers.client.ask(account, "request_quote", asked(quote_id, *lines, new_contract=contract))
    at = await servers.client.now(account)
    async with servers.pool.acquire() as connection:
        assert await contract_paper(connection, contract["contract_id"], at) == "drafted"
    accept = {"quote_id": quote_id, "request_id": f"accept-{quote_id}", "by": "c-1"}
    answer = await servers.client.ask(account, "accept_quote", accept)
    assert (answer["state"], answer["order_id"]) == ("accepted", quote_id)
    assert answer["new_contracts"] == [contract["contract_id"]]
    assert answer["new_assets"] == [f"{quote_id}-1", f"{quote_id}-2", f"{quote_id}-4", f"{quote_id}-4.1"]
    again = await servers.client.ask(account, "accept_quote", accept)
    assert again["order_id"] == quote_id
    # The first quarter of what is sold for a year, and at once what is paid once.
    quarter = 10 * 1000 * 3 + 120_000 // 4 + 2 * 1000 * 3
    assert (await invoiced(servers, account))[1:] == [Decimal(quarter + 2 * 30_000 + 4 * 500)]
    owned = await servers.pool.fetch(
        "select asset_id, line_id, contract_id, price_book, time_zone from asset where order_id = $1 order by 1",
        quote_id,
    )
    assert [row["line_id"] for row in owned] == ["1", "2", "4", "4.1"]
    assert {row["time_zone"] for row in owned} == {"Asia/Tokyo"}
    assert [row["contract_id"] for row in owned] == [contract["contract_id"], None, *[contract["contract_id"]] * 2]
    edges = await servers.pool.fetchval("select count(*) from asset_relationship where parent_id = $1", f"{quote_id}-4")
    assert edges == 1
    async with servers.pool.acquire() as connection:
        assert await contract_paper(connection, contract["contract_id"], at + timedelta(minutes=1)) == "active"
    await sound(servers, account)
    await servers.client.fast_forward(account, timedelta(days=400))
    # Four quarters, and the first of the renewed term.
    assert (await invoiced(servers, account))[2:5] == [Decimal(quarter)] * 3
    terms = await servers.pool.fetchval(
        "select count(*) from contract_term where contract_id = $1", contract["contract_id"]
    )
    assert terms == 2
    assert f"quote:{quote_id}/expiry-v1" not in await steps_of(servers.pool, account)
    await sound(servers, account)
    subjects = [mail.subject for mail in servers.mails_to(document["contacts"][0]["email"])]
    assert any(quote_id in subject for subject in subjects)


@pytest.mark.parametrize("first_invoice", [None, "order"])
async def test_a_quote_of_a_later_day_is_first_invoiced_as_its_contract_says(
    servers: Servers, first_invoice: str | None
) -> None:
    _, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    at = await servers.client.now(account)
    today, start = (local_day(at + timedelta(days=days), "Asia/Tokyo") for days in (0, 45))
    contract = {"first_invoice": first_invoice} if first_invoice else {}
    lines = (sale("1", CRM, 2, start=start.isoformat(), months=12), sale("2", ROUTER, 1))
    await servers.client.ask(account, "request_quote", asked(quote_id, *lines, new_contract=contract))
    answer = await servers.client.ask(account, "accept_quote", {"quote_id": quote_id})
    day = today if first_invoice else start
    assert answer["first_invoices"] == {f"{quote_id}-1": day.isoformat()}
    says = f"First invoice on {start}: contract {quote_id}-1"
    assert (says in [row["title"] for row in await servers.journal(account)]) == (first_invoice is None)
    await servers.client.fast_forward(account, timedelta(days=60))
    rows = await servers.pool.fetch(
        "select i.issued_on, l.amount from invoice_line l join invoice i using (invoice_id) join asset a using (asset_id)"
        " where a.order_id = $1 order by 1, 2",
        quote_id,
    )
    assert [tuple(row) for row in rows] == sorted([(today, Decimal(30_000)), (day, Decimal(2 * 1000 * 12))])


async def test_a_deep_discount_waits_until_somebody_else_approves(servers: Servers) -> None:
    _, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    answer = await servers.client.ask(account, "request_quote", asked(quote_id, sale("1", CRM, 10), off="20"))
    assert (answer["state"], answer["approval"]) == ("in_approval", {"role": "manager", "percent": "20"})
    with pytest.raises(Refusal, match="waits for no answer"):
        await servers.client.ask(account, "accept_quote", {"quote_id": quote_id})
    with pytest.raises(Refusal, match="somebody else has to decide"):
        await servers.client.ask(account, "approve", {"quote_id": quote_id, "role": "manager", "by": "s-1"})
    with pytest.raises(Refusal, match="waits for manager; sales may not"):
        await servers.client.ask(account, "approve", {"quote_id": quote_id, "role": "sales", "by": "m-1"})
    await servers.client.fast_forward(account, timedelta(days=4))
    assert f"quote:{quote_id}/remind-v1" in await steps_of(servers.pool, account)
    assert "quote" in await attention_of(servers.temporal, account)
    approval = {"quote_id": quote_id, "role": "director", "by": "m-1", "request_id": f"ok-{quote_id}"}
    assert (await servers.client.ask(account, "approve", approval))["state"] == "presented"
    assert (await servers.client.ask(account, "approve", approval))["state"] == "presented"
    row = await servers.pool.fetchrow("select * from quote_approval where quote_id = $1", quote_id)
    assert row is not None
    assert (row["decision"], row["decided_by"], row["decided_role"]) == ("approved", "m-1", "director")
    assert (await servers.client.ask(account, "accept_quote", {"quote_id": quote_id}))["state"] == "accepted"
    assert (await invoiced(servers, account))[1:] == [Decimal(10 * 800 * 12)]
    assert "quote" not in await attention_of(servers.temporal, account)


async def test_who_asked_for_a_discount_and_who_gave_it_are_named(servers: Servers) -> None:
    _, account = await begun(servers)
    mark = uuid4().hex[:8]
    people = [(f"S-{mark}", "Kai Mori"), (f"M-{mark}", "Mio Abe")]
    for id, name in people:
        await servers.pool.execute(
            "insert into staff (staff_id, name, email) values ($1, $2, $3)", id, name, f"{id.lower()}@seller.example"
        )
    request = {**asked(f"Q-{mark}", sale("1", CRM, 10), off="20"), "by": f"S-{mark}"}
    await servers.client.ask(account, "request_quote", request)
    lines = await servers.pool.fetchval(
        "select body->'lines' from outbox where account_id = $1 and body->>'title' like 'Quote % waits for approval%'",
        account,
    )
    assert lines[0] == "Asked by Kai Mori as sales; manager may give 20 per cent."
    await servers.client.ask(account, "approve", {"quote_id": f"Q-{mark}", "role": "manager", "by": f"M-{mark}"})
    titles = [row["title"] for row in await servers.journal(account)]
    assert any(title.endswith("approved by Mio Abe (manager)") for title in titles)


async def test_without_an_answer_an_approval_ends_as_a_rejection_and_the_next_version_may_go_out(
    servers: Servers,
) -> None:
    _, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    await servers.client.ask(account, "request_quote", asked(quote_id, sale("1", CRM, 10), off="30"))
    await servers.client.fast_forward(account, timedelta(days=12))
    steps = await steps_of(servers.pool, account)
    assert steps.count(f"quote:{quote_id}/remind-v1") == 1
    assert steps.count(f"quote:{quote_id}/give-up-v1") == 1
    row = await servers.pool.fetchrow(
        "select q.state, a.decision from quote q join quote_approval a using (quote_id) where quote_id = $1", quote_id
    )
    assert row is not None
    assert tuple(row) == ("draft", "timed_out")
    with pytest.raises(Refusal, match="waits for no answer"):
        await servers.client.ask(account, "accept_quote", {"quote_id": quote_id})
    request = asked(quote_id, sale("1", CRM, 10), off="10")
    with pytest.raises(Refusal, match="must be 2"):
        await servers.client.ask(account, "request_quote", {**request, "version": 3})
    answer = await servers.client.ask(account, "request_quote", request)
    assert (answer["version"], answer["state"]) == (2, "presented")
    with pytest.raises(Refusal, match="is at version 2, not 1"):
        await servers.client.ask(account, "decline_quote", {"quote_id": quote_id, "version": 1})
    declined = {"quote_id": quote_id, "version": 2, "reason": "too much"}
    assert (await servers.client.ask(account, "decline_quote", declined))["state"] == "declined"
    states = await servers.pool.fetch("select state from quote_event where quote_id = $1 order by number", quote_id)
    assert [row["state"] for row in states] == [
        *("draft", "in_approval", "draft", "draft", "approved", "presented", "declined")
    ]


async def test_a_rejection_says_why_and_a_quote_lapses(servers: Servers) -> None:
    _, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    await servers.client.ask(account, "request_quote", asked(quote_id, sale("1", CRM, 1), off="100"))
    no = {"quote_id": quote_id, "role": "director", "by": "d-1", "decision": "reject"}
    with pytest.raises(Refusal, match="needs its reason"):
        await servers.client.ask(account, "approve", no)
    assert (await servers.client.ask(account, "approve", {**no, "reason": "no gifts"}))["state"] == "draft"
    await servers.client.ask(account, "request_quote", asked(quote_id, sale("1", CRM, 1), valid_days=10))
    await servers.client.fast_forward(account, timedelta(days=11))
    assert await servers.pool.fetchval("select state from quote where quote_id = $1", quote_id) == "expired"
    with pytest.raises(Refusal, match="waits for no answer"):
        await servers.client.ask(account, "accept_quote", {"quote_id": quote_id})
    late = {"quote_id": quote_id, "request_id": "late-1"}
    with pytest.raises(Refusal) as refused:
        await servers.client.ask(account, "accept_quote", late)
    assert refused.value.type == "QuoteState"
    assert await invoiced(servers, account) == [
        await servers.pool.fetchval("select total from invoice where account_id = $1 and number = 1", account)
    ]


async def test_what_has_no_end_is_invoiced_month_by_month_and_a_contract_that_ran_out_is_expired(
    servers: Servers,
) -> None:
    _, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    await servers.client.ask(account, "request_quote", asked(quote_id, sale("1", LINE, 2), sale("2", CRM, 1, months=3)))
    answer = await servers.client.ask(account, "accept_quote", {"quote_id": quote_id, "order_id": f"O-{quote_id}"})
    assert (answer["order_id"], answer["new_contracts"]) == (f"O-{quote_id}", [f"{quote_id}-1"])
    await servers.client.fast_forward(account, timedelta(days=100))
    assert (await invoiced(servers, account))[1:] == [Decimal(600 + 3000), *[Decimal(600)] * 3]
    cancelled = {"assets": [{"asset_id": f"{quote_id}-1"}], "reason": "test", "by": "s-1"}
    await servers.client.ask(account, "cancel_assets", cancelled)
    await servers.client.fast_forward(account, timedelta(days=60))
    assert len(await invoiced(servers, account)) == 5
    async with servers.pool.acquire() as connection:
        assert await contract_paper(connection, f"{quote_id}-1", await servers.client.now(account)) == "expired"
    await sound(servers, account)


async def test_a_quote_changes_what_is_owned_and_goes_stale_if_somebody_else_does(servers: Servers) -> None:
    document, account = await begun(servers)
    asset = f"{document['order_id']}.1"
    start = date.fromisoformat(document["contracts"][0]["term"]["start"])
    await servers.client.fast_forward(account, timedelta(days=70))
    quotes = [f"Q-{uuid4().hex[:8]}" for _ in range(2)]
    for quote_id, delta in zip(quotes, (-10, 5), strict=True):
        line = {"line_id": "1", "kind": "quantity", "asset_id": asset, "delta": delta}
        line["effective"] = add_months(start, 5).isoformat()
        await servers.client.ask(account, "request_quote", {"quote_id": quote_id, "lines": [line], "by": "s-1"})
    told = await servers.pool.fetch(
        "select body->'context'->'more' as more from outbox where account_id = $1 and body->>'template' = 'quote_presented'"
        " order by created_at, delivery_id",
        account,
    )
    fewer, more = (row["more"] for row in told)
    assert fewer == []
    assert [(one["quantity"], one["beside"], one["from"]) for one in more] == [(5, 40, line["effective"])]
    answer = await servers.client.ask(account, "accept_quote", {"quote_id": quotes[0]})
    assert [changed["change"] for changed in answer["assets"]] == ["fewer"]
    credited = await servers.pool.fetchval("select sum(total) from credit_memo where account_id = $1", account)
    assert credited is None  # it takes effect later, and so does what it gives back
    with pytest.raises(Refusal) as refused:
        await servers.client.ask(account, "accept_quote", {"quote_id": quotes[1]})
    assert refused.value.type == "AssetChanged"
    await servers.client.fast_forward(account, timedelta(days=200))
    credited = await servers.pool.fetchval("select sum(total) from credit_memo where account_id = $1", account)
    assert credited == Decimal(10 * 1200 * 7)
    await sound(servers, account)


async def test_what_cannot_be_quoted_is_refused_by_name(servers: Servers) -> None:
    document, account = await begun(servers)
    quote_id = f"Q-{uuid4().hex[:8]}"
    asset = f"{document['order_id']}.1"
    later = (await servers.client.now(account) + timedelta(days=60)).date().isoformat()
    refusals: list[tuple[dict[str, Any], str, str]] = [
        (asked(quote_id, sale("1", "nothing", 1)), "UnknownProduct", "no product"),
        (asked(quote_id, sale("1", CRM, 1), price_book="gold"), "PriceBookNotValid", "no price book gold"),
        (asked(quote_id, sale("1", CRM, 0)), "InvalidRequest", "quantity"),
        (asked(quote_id, sale("1", CRM, 1), contract_id="K-0"), "InvalidRequest", "no contract of theirs"),
        (asked(quote_id, {"line_id": "1", "kind": "cancel", "asset_id": "A-0"}), "UnknownAsset", "A-0"),
        (
            {
                "quote_id": quote_id,
                "lines": [{"line_id": "1", "kind": "quantity", "asset_id": asset, "delta": -41, "effective": later}],
            },
            "OverReduction",
            "line 1 of the quote",
        ),
        (
            {
                "quote_id": quote_id,
                "lines": [
                    {"line_id": "1", "kind": "quantity", "asset_id": asset, "delta": 1, "effective": "2020-01-01"}
                ],
            },
            "BackdateNotAllowed",
            "backdating is off",
        ),
    ]
    for request, type, says in refusals:
        with pytest.raises(Refusal) as refused:
            await servers.client.ask(account, "request_quote", request)
        with pytest.raises(Refusal) as unseen:
            await servers.client.preview_quote(account, request)
        for refusal in (refused.value, unseen.value):
            assert refusal.type == type, str(refusal)
            assert says in str(refusal)
    assert await servers.pool.fetchval("select count(*) from quote where account_id = $1", account) == 0


async def test_a_kind_of_line_that_is_no_word_is_refused_by_field(servers: Servers) -> None:
    _, account = await begun(servers)
    request = asked(f"Q-{uuid4().hex[:8]}", {**sale("1", CRM, 1), "kind": ["sale"]})
    with pytest.raises(Refusal, match=r"lines\[0\]") as told:
        await servers.client.ask(account, "request_quote", request)
    assert told.value.type == "InvalidRequest"
