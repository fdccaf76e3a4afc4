"""The one timeline of a customer: complete, in order, hidden from whom it does not concern, and fast however long it is."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from activities.journey.timeline import page_query, timeline_page
from activities.kernel.pool import Connection
from domain.frame.mail_names import MAILS
from domain.journey.customer_timeline import Audience, TimelineKind, Visibility, read_cursor
from domain.kernel.refusals import Refusal
from domain.service.case import Happened
from tests import builders
from tests.conftest import Servers
from tests.e2e.lives import until
from tests.timelines import START, explained, fill

_numbers = itertools.count(1)


async def filled(connection: Connection, items: int) -> str:
    """An account of its own with so many items."""
    account = await fill(connection, items, f"timeline-{next(_numbers)}-{items}")
    await connection.execute("analyze timeline_item")
    return account


@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("kinds", [(), (TimelineKind.CASE,), (TimelineKind.CASE, TimelineKind.MESSAGE)])
@pytest.mark.parametrize("behind", [False, True])
async def test_a_page_reads_what_it_shows(
    servers: Servers, audience: Audience, kinds: tuple[TimelineKind, ...], behind: bool
) -> None:
    async with servers.pool.acquire() as connection:
        account = await filled(connection, 20_000)
        cursor = (START + timedelta(minutes=15_000), f"{account}/15000") if behind else ()
        query = page_query(kinds, audience.sees, 51, behind=behind)
        plan = await explained(connection, query, account, *cursor)
    assert plan.returned == 51
    assert plan.read <= 2 * plan.returned
    assert (plan.sorts, plan.sequential) == (0, ())


async def test_pages_tell_everything_once_also_while_more_happens(servers: Servers) -> None:
    async with servers.pool.acquire() as connection:
        account = await filled(connection, 1_000)
        # Several things in one instant, on both sides of a page's end.
        await connection.execute(
            "update timeline_item set at = $2 where account_id = $1 and key > $3", account, START, f"{account}/5"
        )
        expected = await connection.fetch(
            "select key from timeline_item where account_id = $1 order by at desc, key desc", account
        )
        seen: list[str] = []
        cursor = None
        while True:
            page = await timeline_page(connection, account, before=cursor, limit=70)
            seen += [item.key for item in page.items]
            if page.next is None:
                break
            cursor = read_cursor(page.next)
            await connection.execute(
                "insert into timeline_item values ($1, $2, $3, 'case', 'new', 'system', null, 'staff')",
                f"{account}/new-{len(seen)}",
                account,
                START + timedelta(days=400),
            )
    assert seen == [row["key"] for row in expected]


async def test_who_may_not_see_an_item_gets_full_pages_without_it(servers: Servers) -> None:
    async with servers.pool.acquire() as connection:
        account = await filled(connection, 300)
        found = {
            audience: (await timeline_page(connection, account, audience=audience, limit=60)).items
            for audience in Audience
        }
    assert {audience: len(items) for audience, items in found.items()} == dict.fromkeys(Audience, 60)
    assert {item.visibility for item in found[Audience.CUSTOMER]} == {Visibility.CUSTOMER}
    assert {item.visibility for item in found[Audience.SALES]} == {Visibility.CUSTOMER, Visibility.STAFF}
    assert {item.visibility for item in found[Audience.SERVICE]} == set(Visibility)


@pytest.mark.parametrize("text", ["", "nonsense!", "YWJj", "MTIz", "/", "é"])
def test_a_cursor_that_never_was_one_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="is no cursor"):
        read_cursor(text)


async def titles(servers: Servers, account: str, audience: Audience = Audience.SERVICE) -> list[tuple[str, str]]:
    async with servers.pool.acquire() as connection:
        page = await timeline_page(connection, account, audience=audience, limit=500)
    return [(item.kind.value, item.title) for item in reversed(page.items)]


async def placed(servers: Servers) -> str:
    document = builders.order()
    await servers.client.place_order(document)
    return str(document["account"]["account_id"])


async def test_an_order_its_contract_and_its_mail_are_on_the_timeline(servers: Servers) -> None:
    account = await placed(servers)
    contract = await servers.pool.fetchval("select contract_id from contract where account_id = $1", account)

    async def is_written() -> bool:
        return ("message", "Sent: welcome mail") in await titles(servers, account)

    await until(is_written, "the customer is welcomed")
    found = await titles(servers, account)
    kinds = [kind for kind, _ in found]
    assert "purchase" in kinds
    assert ("message", "Sent: welcome mail") in found
    assert ("contract", f"Contract {contract}: term 1 begins") in found
    assert kinds.count("invoice") == 1
    assert "relationship" not in kinds
    assert found[-1] == ("contract", f"Contract {contract}: term 1 ends")


CASE = (
    "insert into service_case (case_id, account_id, subject, channel, impact, urgency, priority, status, status_at,"
    " opened_at, last_activity_at, planned_at, recorded_at)"
    " values ($1, $2, 'Till is down', 'web', 'high', 'high', 'urgent', 'open', $3, $3, $3, $3, $3)"
)
EVENT = (
    "insert into case_event (case_id, sequence, at, recorded_at, kind, by, detail, visibility)"
    " values ($1, $2, $3, $3, $4, $5, $6, $7)"
)
MILESTONE = (
    "insert into case_milestone (case_id, milestone, number, kind, started_at, completed_at, violated_at, state)"
    " values ($1, 'first_response', 1, 'first_response', $2, $3, $4, $5)"
)


async def test_a_case_is_told_with_its_messages_notes_and_promises(servers: Servers) -> None:
    account, case = await placed(servers), f"T-{next(_numbers)}"
    hours = [START + timedelta(hours=n) for n in range(8)]
    async with servers.pool.acquire() as connection:
        await connection.execute(CASE, case, account, START)
        for number, (kind, by, detail, visibility) in enumerate(
            [
                ("created", "customer", {}, "shared"),
                ("note", "A-1", {"body": "sounds familiar"}, "internal"),
                ("agent_message", "A-1", {}, "shared"),
                ("waiting", "A-1", {"status": "waiting_customer", "reason": "log file"}, "shared"),
                ("violated", "system", {}, "shared"),
            ]
        ):
            await connection.execute(EVENT, case, number + 1, hours[number], kind, by, detail, visibility)
        await connection.execute(MILESTONE, case, START, None, hours[5], "open")
        own = [one for one in await titles(servers, account) if case in one[1]]
        assert own == [
            ("case", f"Case {case}: opened: Till is down"),
            ("case", f"Case {case}: note: sounds familiar"),
            ("message", f"Case {case}: we answered"),
            ("case", f"Case {case}: waiting for the customer: log file"),
            ("milestone", f"Case {case}: first response was due"),
        ]
        seen_by_sales = [one for one in await titles(servers, account, Audience.SALES) if case in one[1]]
        assert len(seen_by_sales) == 4
        assert not [title for _, title in seen_by_sales if "familiar" in title]
        # Late evidence: it was in time after all.
        await connection.execute(
            "update case_milestone set state = 'met', completed_at = $2, reversed_at = $3 where case_id = $1",
            case,
            hours[2],
            hours[6],
        )
    kept = [title for kind, title in await titles(servers, account) if kind == "milestone"]
    assert kept == [
        f"Case {case}: first response kept",
        f"Case {case}: first response was due",
        f"Case {case}: first response was not late after all",
    ]


async def test_every_mail_and_all_that_happens_in_a_case_is_called_by_words(servers: Servers) -> None:
    account, case = await placed(servers), f"T-{next(_numbers)}"
    untold = {"violated", "reversed", "fired"}
    kinds = [kind.value for kind in Happened if kind.value not in untold]
    async with servers.pool.acquire() as connection:
        for template, words in MAILS.items():
            assert await connection.fetchval("select mail_in_words($1)", template) == words
        await connection.execute(CASE, case, account, START)
        for number, kind in enumerate(kinds):
            detail = {"owner": "S-1"} if kind == "assigned" else {"name": "hold_overridden"} if kind == "custom" else {}
            at = START + timedelta(minutes=number)
            await connection.execute(EVENT, case, number + 1, at, kind, "A-1", detail, "shared")
        own = [title for _, title in await titles(servers, account) if case in title]
        name = await connection.fetchval("select name from staff where staff_id = 'S-1'")
    assert len(own) == len(kinds)
    assert not [title for title in own if "_" in title or title.endswith((": custom", "message"))]
    assert f"Case {case}: has an owner: {name}" in own
    assert f"Case {case}: sales may reach the customer for some hours" in own


async def test_a_case_of_somebody_unknown_comes_with_its_past_once_it_is_known_whose_it_is(servers: Servers) -> None:
    first, second, case = await placed(servers), await placed(servers), f"T-{next(_numbers)}"
    async with servers.pool.acquire() as connection:
        await connection.execute(CASE, case, None, START)
        await connection.execute(EVENT, case, 1, START, "created", "customer", {}, "shared")
        await connection.execute(MILESTONE, case, START, START, None, "met")
        count = "select count(*) from timeline_item where link = $1"
        assert await connection.fetchval(count, f"case/{case}") == 0
        for account in (first, second):
            await connection.execute("update service_case set account_id = $2 where case_id = $1", case, account)
            own = [title for _, title in await titles(servers, account) if case in title]
            assert own == [f"Case {case}: first response kept", f"Case {case}: opened: Till is down"][::-1]
            assert await connection.fetchval(count, f"case/{case}") == 2


async def test_holds_invoices_and_health_are_told_when_they_change(servers: Servers) -> None:
    account = await placed(servers)
    async with servers.pool.acquire() as connection:
        for n, (score, band) in enumerate([(72, "healthy"), (72, "healthy"), (55, "watch")]):
            await connection.execute(
                "insert into health_score (account_id, at, score, band, parts) values ($1, $2, $3, $4, '[]')",
                account,
                START + timedelta(days=n),
                score,
                band,
            )
        await connection.execute(
            "insert into invoice (invoice_id, account_id, number, key, currency, net, total, issued_at, issued_on)"
            " values ($1, $2, 1000, $1, 'JPY', 48000, 48000, $3, $4)",
            f"I-{account}",
            account,
            START + timedelta(days=3),
            START.date(),
        )
        await connection.execute(
            "insert into sales_hold (hold_id, account_id, scope, level, reason, source, says, since, recorded_at)"
            " values ($1, $2, 'customer', 'warn', 'open_case', 'T-1', 'a case is open', $3, $3)",
            f"H-{account}",
            account,
            START + timedelta(days=4),
        )
        await connection.execute(
            "update sales_hold set level = 'block', says = 'an urgent case is open' where hold_id = $1", f"H-{account}"
        )
        await connection.execute(
            "update sales_hold set lifted_at = $2 where hold_id = $1", f"H-{account}", START + timedelta(days=5)
        )
        found = await titles(servers, account)
    ours = [one for one in found if one[0] in ("health", "hold") or one[1].startswith(f"Invoice I-{account}")]
    assert ours == [
        ("health", "Health 72, healthy"),
        ("health", "Health 55, watch (was 72, healthy)"),
        ("invoice", f"Invoice I-{account}: 48000 JPY"),
        ("hold", "Sales is held back: an urgent case is open"),
        ("hold", "No longer so: an urgent case is open"),
    ]
