"""Acts in the console: forms of what a role may ask, done once, refused at their fields, written in the log."""

from __future__ import annotations

from typing import Any

import pytest

from activities.frame import audit_rows
from activities.kernel.clock import present
from domain.frame.access import AccessRole
from domain.journey.registry import CASE, JOURNEY
from gateway.cases import CaseClient
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, person, signed_in, with_role

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"


async def _placed(servers: Servers) -> str:
    document = order()
    await servers.client.place_order(document)
    return str(document["account"]["account_id"])


async def _case(servers: Servers, account: str, **more: Any) -> str:
    case_id = f"C-{account}"
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    await cases.open_case(
        {"case_id": case_id, "account_id": account, "subject": "Tills are down", "body": "since nine", **more}
    )
    return case_id


async def _log(servers: Servers, subject: str) -> list[tuple[str, str, str]]:
    async with servers.pool.acquire() as connection:
        rows = await audit_rows.entries(connection, subject, None, None, 50)
    return [(row["actor"], row["operation"], row["outcome"]) for row in rows]


def _harmless(browser: Browser) -> None:
    assert browser.answer.status_code == 200
    assert browser.answer.text.count("<script") == 1  # ours, a file of its own
    assert not [name for _, attributes in browser.page.tags for name in attributes if name.startswith("on")]


async def test_an_act_is_offered_filled_in_done_and_told(servers: Servers) -> None:
    account, staff_id = await _placed(servers), await person(servers, AccessRole.SALES)
    browser = await signed_in(servers, staff_id)
    page = await browser.open(f"/customers/{account}")
    path = f"/customers/{account}/acts/change_account"
    assert path in page.links
    await browser.open(path)
    done = await browser.send(path, language="ja", reason="they asked for it")
    assert browser.answer.url.path == f"/customers/{account}"
    assert "Change who looks after them, and how: done." in done.text
    assert await servers.pool.fetchval("select language from account where account_id = $1", account) == "ja"
    assert await _log(servers, f"account/{account}") == [(f"staff:{staff_id}", "change_account", "done")]


async def test_a_form_that_is_sent_twice_is_one_request(servers: Servers) -> None:
    case_id = await _case(servers, await _placed(servers))
    browser = await with_role(servers, AccessRole.SERVICE)
    path = f"/cases/{case_id}/acts/note"
    page = await browser.open(f"/cases/{case_id}")
    form = next(form for form in page.forms if form.action == path)
    fields = {**form.fields, "body": "looks like a cable"}
    answers = [await browser.http.post(path, data=fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    notes = "select count(*) from case_event where case_id = $1 and kind = 'note'"
    assert await servers.pool.fetchval(notes, case_id) == 1


async def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong_where(servers: Servers) -> None:
    account = await _placed(servers)
    browser = await with_role(servers, AccessRole.SUCCESS)
    path = f"/customers/{account}/acts/override_health"
    await browser.open(path)
    before = next(form for form in browser.page.forms if form.action == path).fields["request_id"]
    await browser.send(path, band="watch", days="four", reason='"quoted" <b>words</b>')
    assert browser.answer.status_code == 422
    form = next(form for form in browser.page.forms if form.action == path)
    assert (form.fields["band"], form.fields["days"]) == ("watch", "four")
    assert form.fields["reason"] == '"quoted" <b>words</b>'
    assert form.fields["request_id"] != before
    wrong = [attributes["name"] for _, attributes in browser.page.tags if "aria-invalid" in attributes]
    assert wrong == ["days"]
    assert await servers.pool.fetchval("select count(*) from health_override where account_id = $1", account) == 0
    done = await browser.send(path, days="１４")
    assert "done." in done.text
    assert await servers.pool.fetchval("select count(*) from health_override where account_id = $1", account) == 1


async def test_lists_and_groups_are_filled_in_as_rows(servers: Servers) -> None:
    account = await _placed(servers)
    asset = await servers.pool.fetchval("select min(asset_id) from asset where account_id = $1", account)
    browser = await with_role(servers, AccessRole.SALES)
    path = f"/customers/{account}/acts/amend_assets"
    await browser.open(path)
    assert f'value="{asset}"' in browser.answer.text, "what they own is offered"
    await browser.send(path, "ask", **{"assets[1].asset_id": asset, "assets[1].add": "many"})
    assert browser.answer.status_code == 422
    await browser.open(path)
    rows = {"assets[0].asset_id": asset, "assets[0].add": "3"}
    done = await browser.send(path, "ask", **rows, reason="more tills")
    assert "done." in done.text
    added = "select quantity from asset_state_period where asset_id = $1 order by starts_at desc limit 1"
    assert await servers.pool.fetchval(added, asset) > 3


@pytest.mark.parametrize("role", sorted(set(AccessRole) - {AccessRole.PROGRAM}))
async def test_who_may_not_ask_is_neither_offered_it_nor_heard(servers: Servers, role: AccessRole) -> None:
    account = await _placed(servers)
    staff_id = await person(servers, role)
    browser = await signed_in(servers, staff_id)
    page = await browser.open(f"/customers/{account}")
    offered = {link.partition("?")[0].rpartition("/")[2] for link in page.links if "/acts/" in link}
    token = next(form.fields["token"] for form in page.forms if form.method == "post")
    not_here = {"place_order", "import_order"}
    for update in JOURNEY.keys() - offered:
        refused = await browser.http.post(f"/customers/{account}/acts/{update}", data={"token": token})
        assert refused.status_code == (404 if update in not_here else 403), update
    assert await _log(servers, f"account/{account}") == []
    assert not offered & (not_here | {update for update, kind in JOURNEY.items() if kind.internal})


async def test_what_is_not_there_is_told_and_nothing_begins(servers: Servers) -> None:
    account = await _placed(servers)
    browser = await with_role(servers, AccessRole.ADMIN)
    for path in (
        f"/customers/{account}/acts/no_such",
        f"/customers/{account}/acts/place_order",
        f"/customers/{account}/acts/receive_assets",
        "/customers/nobody-here/acts/pause",
        "/cases/no-such/acts/note",
        "/cases/no-such",
    ):
        await browser.open(path)
        assert browser.answer.status_code in (403, 404), path
    posted = await browser.http.post(f"/customers/{account}/acts/pause", data={"reason": "x"})
    assert posted.status_code == 403, "no token, no act"
    assert await _log(servers, f"account/{account}") == []


async def test_a_case_is_answered_noted_and_resolved_on_its_page(servers: Servers) -> None:
    account = await _placed(servers)
    case_id = await _case(servers, account)
    browser = await with_role(servers, AccessRole.SERVICE)
    page = await browser.open(f"/cases/{case_id}")
    for said in ("Tills are down", "since nine", "First response", "left"):
        assert said in page.text, said
    assert case_id in (await browser.open("/cases")).text
    await browser.open(f"/cases/{case_id}")
    await browser.send(f"/cases/{case_id}/acts/respond", body="A new cable is on its way.")
    await browser.send(f"/cases/{case_id}/acts/note", body="cable K-9", shared="yes")
    page = await browser.send(f"/cases/{case_id}/acts/resolve", code="fixed", text="A new cable was put in.")
    assert "Resolve: done." in page.text
    for said in ("A new cable is on its way.", "cable K-9", "resolved"):
        assert said in page.text, said
    stands = "select status || ', ' || resolution_code from service_case where case_id = $1"
    assert await servers.pool.fetchval(stands, case_id) == "resolved, fixed"
    clerk = await with_role(servers, AccessRole.FINANCE)
    assert "cable K-9" not in (await clerk.open(f"/cases/{case_id}")).text, "notes are not for finance"


async def test_what_customers_and_colleagues_write_does_nothing_on_a_page(servers: Servers) -> None:
    account = await _placed(servers)
    case_id = await _case(servers, account, subject=HOSTILE[:80], body=HOSTILE)
    browser = await with_role(servers, AccessRole.ADMIN)
    await browser.open(f"/cases/{case_id}")
    await browser.send(f"/cases/{case_id}/acts/respond", body=HOSTILE)
    await browser.send(f"/cases/{case_id}/acts/note", body=HOSTILE)
    await browser.send(f"/cases/{case_id}/acts/escalate", reason=HOSTILE)
    for path in (f"/cases/{case_id}", "/cases", f"/customers/{account}", "/?all=1"):
        await browser.open(path)
        _harmless(browser)
    await browser.open(f"/customers/{account}/acts/pause?reason=%3Cscript%3E&asked=%22%3E%3Cscript%3E")
    _harmless(browser)


async def test_what_an_address_claims_to_be_done_is_not_said(servers: Servers) -> None:
    account = await _placed(servers)
    browser = await with_role(servers, AccessRole.SALES)
    page = await browser.open(f"/customers/{account}?of=account/{account}&asked=pause&under=co-nothing")
    assert "done." not in page.text
    _harmless(browser)


async def test_acts_of_cases_and_journeys_are_those_of_the_registry(servers: Servers) -> None:
    account = await _placed(servers)
    case_id = await _case(servers, account)
    browser = await with_role(servers, AccessRole.ADMIN)
    for page, kinds, left_out in (
        (f"/customers/{account}", JOURNEY | {"open_case": CASE["open_case"]}, {"place_order", "import_order"}),
        (f"/cases/{case_id}", CASE, {"open_case"}),
    ):
        links = {link for link in (await browser.open(page)).links if link.startswith(f"{page}/acts/")}
        wanted = {update for update, kind in kinds.items() if not kind.internal and update not in left_out}
        assert {link.partition("?")[0].rpartition("/")[2] for link in links} == wanted
        for link in sorted(links):
            await browser.open(link)
            _harmless(browser)


async def test_a_price_match_is_looked_at_first_and_what_was_seen_is_what_is_asked(servers: Servers) -> None:
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    case_id = await _case(servers, account)
    price = {"product": "TERMINAL", "price": "70000", "currency": "JPY", "valid_from": "2026-01-01", "book": "standard"}
    await servers.client.publish_prices(price, as_of=present())
    browser = await with_role(servers, AccessRole.SERVICE)
    path = f"/cases/{case_id}/acts/claim_price_match"
    await browser.open(path)
    page = await browser.send(path, "preview", order_id=document["order_id"], line_id="3")
    assert browser.answer.status_code == 200
    for said in ("Paid for one ¥80,000", "Costs now ¥70,000", "Difference for one ¥10,000", "Given back"):
        assert said in page.text, page.text
    form = next(form for form in page.forms if form.action == path)
    assert (form.fields["order_id"], form.fields["line_id"]) == (document["order_id"], "3")
    assert float(form.fields["refund"]) >= 50_000
    assert await servers.pool.fetchval("select count(*) from refund_claim where case_id = $1", case_id) == 0
    page = await browser.send(path, "preview", line_id="99")
    assert browser.answer.status_code == 404
    assert "99" in page.text
