"""Settings in the console: each change once, by whose role may, with a reason in the log, and what was typed kept if it is refused."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import yaml

from activities.catalogue import catalogue
from activities.channels.samples import CONTEXTS
from activities.frame import audit_rows
from activities.kernel.clock import present
from domain.frame.access import MAY_DO, MAY_SEE, AccessRole, FieldGroup, WriteAct
from domain.frame.mail_kinds import TEMPLATES
from domain.kernel.calendar import local_day
from domain.orders.order import Staff
from domain.service.desk import AgentDocument, EntitlementDocument, TeamDocument
from gateway.cases import CaseClient
from gateway.console.fields import fields_of
from gateway.console.settings.overview import PAGES
from gateway.days_off import NewDayOff
from gateway.keyring import NewKey
from gateway.prices import NewPrice
from gateway.staffing import Grant, Person
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.api.callers import calling
from tests.gateway.console.browser import Browser, Form, person, signed_in, with_role
from tests.gateway.console.test_kept_forms import ends
from tests.gateway.console.test_words import FOLDER, _all

PEOPLE = sorted(set(AccessRole) - {AccessRole.PROGRAM})
_numbers = count(1)


def today() -> date:
    return present().date()


def form_of(browser: Browser, do: str, of: str = "") -> Form:
    """The form of the page that does this."""
    return next(form for form in browser.page.forms if form.fields.get("do") == do and form.fields.get("of", "") == of)


async def changed(browser: Browser, path: str, do: str, of: str = "", **typed: str) -> Any:
    """Opens a page and sends one of its forms; the answer, with all redirects followed."""
    await browser.open(path)
    fields = {**form_of(browser, do, of).fields, **typed}
    answer = await browser.http.post(path, data=fields, follow_redirects=True)
    return answer, fields


async def logged(servers: Servers, subject: str) -> list[tuple[str, str, str, str]]:
    async with servers.pool.acquire() as connection:
        rows = await audit_rows.entries(connection, subject, None, None, 50)
    return [(row["actor"], row["operation"], row["outcome"], row["reason"]) for row in rows]


async def test_a_price_counts_from_its_day_and_the_past_is_not_written_over(servers: Servers) -> None:
    await servers.client.place_order(order())
    staff_id, book = await person(servers, AccessRole.FINANCE), f"book-{next(_numbers)}"
    browser = await signed_in(servers, staff_id)
    typed = {"product": "SEATS", "currency": "JPY", "book": book, "per": "month", "reason": "as agreed"}
    first, _ = await changed(
        browser, "/settings/prices", "publish", **typed, price="1200", valid_from=today().isoformat()
    )
    assert first.status_code == 200, first.text
    later = today() + timedelta(days=30)
    await changed(browser, "/settings/prices", "publish", **typed, price="1300", valid_from=later.isoformat())
    refused, _ = await changed(
        browser,
        "/settings/prices",
        "publish",
        **typed,
        price="1",
        valid_from=(today() - timedelta(days=1)).isoformat(),
    )
    assert refused.status_code == 422
    assert "lies before today" in refused.text
    assert f'value="{book}"' in refused.text
    assert 'value="as agreed"' in refused.text
    async with servers.pool.acquire() as connection:
        prices = [
            (await catalogue.load_price_book(connection, book, "JPY", day, ["SEATS"])).by_product["SEATS"][0]
            for day in (today(), later)
        ]
    assert [one.tiers[0].price for one in prices] == [Decimal(1200), Decimal(1300)]
    assert await logged(servers, f"prices/{book}") == [
        (f"staff:{staff_id}", "publish_prices", "done", "as agreed"),
        (f"staff:{staff_id}", "publish_prices", "done", "as agreed"),
    ]
    page = await browser.open(f"/settings/prices?book={book}&currency=JPY&from={later}")
    assert "¥1,300" in page.text


async def test_who_says_no_reason_changes_nothing(servers: Servers) -> None:
    browser = await with_role(servers, AccessRole.ADMIN)
    answer, fields = await changed(
        browser, "/settings/staff", "add", staff_id="new-x", name="Nia New", email="nia@seller.example", reason=" "
    )
    assert answer.status_code == 422
    assert "Say why" in answer.text
    assert 'value="Nia New"' in answer.text
    assert not await servers.pool.fetchval("select count(*) from staff where staff_id = 'new-x'")
    assert fields["request_id"]


async def test_what_was_sent_after_the_session_had_ended_is_there_again(servers: Servers) -> None:
    staff_id = await person(servers, AccessRole.ADMIN)
    browser = await signed_in(servers, staff_id)
    await browser.open("/settings/staff")
    typed = {"staff_id": "late-x", "name": "Lou Late", "email": "lou@seller.example", "reason": "joins us"}
    await ends(servers, staff_id)
    sent = {**form_of(browser, "add").fields, **typed}
    await browser.http.post("/settings/staff", data=sent)
    await browser.open("/sign-in")
    page = await browser.send("/sign-in", staff_id)
    assert browser.answer.url.path == "/settings/staff"
    assert "Nothing was done yet" in page.text
    again = form_of(browser, "add").fields
    assert {name: again[name] for name in typed} == typed
    assert again["request_id"] == sent["request_id"]
    assert not await servers.pool.fetchval("select count(*) from staff where staff_id = 'late-x'")


async def test_a_day_off_moves_promises_of_cases_that_come_after_it_alone(servers: Servers) -> None:
    browser = await with_role(servers, AccessRole.OPERATOR)
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    due = "select due_at from case_milestone where case_id = $1 and milestone = 'first_response'"

    async def promised(case_id: str) -> datetime:
        await cases.open_case({"case_id": case_id, "account_id": account, "subject": "Till", "body": "since nine"})
        found: datetime = await servers.pool.fetchval(due, case_id)
        return found

    before = await promised(f"C-{account}-0")
    today = local_day(present(), "Asia/Tokyo")
    typed = {"calendar_id": "office-jp", "name": "The office moves", "reason": "it moves"}
    for days in range(14):
        day = (today + timedelta(days=days)).isoformat()
        answer, _ = await changed(browser, "/settings/calendars", "add", **typed, day=day)
        assert answer.status_code in (200, 409), answer.text  # some are holidays of the country
    assert await promised(f"C-{account}-1") > before + timedelta(days=7)
    assert await servers.pool.fetchval(due, f"C-{account}-0") == before
    page = await browser.open("/settings/calendars")
    withdrawals = [form for form in page.forms if form.fields.get("do") == "withdraw"]
    for form in withdrawals:
        sent = {**form.fields, "reason": "it does not move"}
        assert (await browser.http.post("/settings/calendars", data=sent)).status_code == 303
    assert await promised(f"C-{account}-2") < before + timedelta(days=1)
    subject = f"calendar/{withdrawals[0].fields['of']}"
    assert [row[1:] for row in await logged(servers, subject)] == [
        ("withdraw_holiday", "done", "it does not move"),
        ("add_holiday", "done", "it moves"),
    ]


async def test_a_calendar_without_days_off_says_so(servers: Servers) -> None:
    browser = await with_role(servers, AccessRole.SERVICE)
    page = await browser.open("/settings/calendars")
    told = [part for part in re.split(r"<section", page.html) if "knows no days off" in part]
    assert ['id="office"' in part for part in told] == [True]
    assert not [form for form in page.forms if form.fields.get("do")], "an operator adds days"


async def test_somebody_comes_gets_roles_and_leaves_with_all_that_was_theirs(servers: Servers) -> None:
    admin = await person(servers, AccessRole.ADMIN)
    browser, new = await signed_in(servers, admin), f"new-{next(_numbers)}"
    typed = {"staff_id": new, "name": "Nia New", "email": f"{new}@seller.example", "reason": "joins us"}
    answer, fields = await changed(browser, "/settings/staff", "add", **typed, time_zone="Asia/Tokyo", country="JP")
    assert "Nia New" in answer.text
    again = await browser.http.post("/settings/staff", data=fields)
    assert again.status_code == 303, "sent twice it is one person"
    path = f"/settings/staff/{new}"
    granted, _ = await changed(browser, path, "grant", **{"role.sales": "1", "role.finance": "1", "reason": "sells"})
    assert granted.status_code == 200
    document = order()
    account = str(document["account"]["account_id"])
    document["account"]["owner"] = {"staff_id": new, "name": "Nia New", "email": f"{new}@seller.example"}
    await servers.client.place_order(document)
    other = await person(servers, AccessRole.SALES)
    nobody, _ = await changed(browser, path, "leave", to="nobody-here", reason="goes home")
    assert nobody.status_code == 404
    assert 'value="goes home"' in nobody.text
    left, _ = await changed(browser, path, "leave", to=other, reason="goes home")
    assert left.status_code == 200
    for _ in range(100):
        if "Handed over" in (await browser.open(path)).text:
            break
    assert await servers.pool.fetchval("select owner_id from account where account_id = $1", account) == other
    row = await servers.pool.fetchrow("select time_zone, country, left_at from staff where staff_id = $1", new)
    assert row is not None
    assert (row["time_zone"], row["country"], row["left_at"] is not None) == ("Asia/Tokyo", "JP", True)
    roles = await servers.pool.fetchval("select roles from staff_access where staff_id = $1", new)
    assert roles == ["finance", "sales"]
    assert await logged(servers, f"staff/{new}") == [
        (f"staff:{admin}", "retire_staff", "done", "goes home"),
        (f"staff:{admin}", "retire_staff", "UnknownPerson", "goes home"),
        (f"staff:{admin}", "grant_access", "done", "sells"),
        (f"staff:{admin}", "add_staff", "StaffConflict", "joins us"),
        (f"staff:{admin}", "add_staff", "done", "joins us"),
    ]


async def test_an_agent_is_put_into_a_team(servers: Servers) -> None:
    browser, staff_id = await with_role(servers, AccessRole.OPERATOR), await person(servers, AccessRole.SERVICE)
    team = f"team-{next(_numbers)}"
    made, _ = await changed(browser, "/settings/staff", "team", team=team, name="First line", reason="begins")
    assert "First line" in made.text
    path = f"/settings/staff/{staff_id}"
    done, _ = await changed(browser, path, "agent", team=team, skills="ja\nen", case_limit="7", reason="begins")
    assert done.status_code == 200
    row = await servers.pool.fetchrow(
        "select team, skills, case_limit from service_agent where staff_id = $1", staff_id
    )
    assert row is not None
    assert tuple(row) == (team, ["ja", "en"], 7)
    await browser.open(path)
    assert form_of(browser, "agent").fields["skills"] == "ja\nen", "it is there to be changed"


async def test_a_key_is_shown_once_replaced_and_revoked(servers: Servers) -> None:
    admin = await person(servers, AccessRole.ADMIN)
    browser, name = await signed_in(servers, admin), f"erp{next(_numbers)}"
    typed = {"name": name, "role.program": "1", "scopes": "orders:write", "reason": "for the order system"}
    made, fields = await changed(browser, "/settings/keys", "make", **typed)
    token = re.search(r"prn_\w{12}_[\w-]{43}", made.text)
    assert token is not None
    twice = await browser.http.post("/settings/keys", data=fields)
    assert token[0] in twice.text, "whoever clicks twice is shown the one key that was made"
    assert token[0] not in (await browser.open("/settings/keys")).html

    async def places(sent: str) -> int:
        async with calling(servers, sent) as http:
            return (await http.post("/orders", json=order())).status_code

    assert await places(token[0]) == 200
    taken, _ = await changed(browser, "/settings/keys", "make", **typed)
    assert taken.status_code == 409
    assert f'value="{name}"' in taken.text
    rotated, _ = await changed(browser, "/settings/keys", "rotate", name, overlap="1", reason="each quarter")
    second = re.search(r"prn_\w{12}_[\w-]{43}", rotated.text)
    assert second is not None
    assert [await places(one) for one in (token[0], second[0])] == [200, 200]
    await changed(browser, "/settings/keys", "revoke", name, reason="it is gone")
    assert [await places(one) for one in (token[0], second[0])] == [401, 401]
    assert [row[1:] for row in await logged(servers, f"key/{name}")] == [
        ("revoke_key", "done", "it is gone"),
        ("rotate_key", "done", "each quarter"),
        ("add_key", "KeyConflict", "for the order system"),
        ("add_key", "done", "for the order system"),
        ("add_key", "done", "for the order system"),
    ]
    kept = await servers.pool.fetch("select * from api_key where name = $1", name)
    assert all(one[0][-43:] not in str([dict(row) for row in kept]) for one in (token, second))


async def test_what_a_customer_is_owed_is_kept(servers: Servers) -> None:
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    browser = await with_role(servers, AccessRole.SERVICE)
    typed = {"entitlement_id": f"E-{account}", "account_id": account, "policy_id": "enterprise"}
    dates = {"starts_on": today().isoformat(), "ends_on": "2020-01-01"}
    refused, _ = await changed(browser, "/settings/policies", "entitle", **typed, **dates, reason="bought")
    assert refused.status_code == 422
    assert 'value="2020-01-01"' in refused.text
    dates["ends_on"] = ""
    await changed(browser, "/settings/policies", "entitle", **typed, **dates, reason="bought")
    policy = "select policy_id from entitlement where account_id = $1"
    assert await servers.pool.fetchval(policy, account) == "enterprise"


async def test_every_mail_is_shown_with_a_sample_in_both_languages(servers: Servers) -> None:
    assert set(CONTEXTS) == set(TEMPLATES)
    browser = await with_role(servers, AccessRole.SUCCESS)
    page = await browser.open("/settings/templates?mail=renewal_notice")
    assert page.text.count("A-3") >= 2
    assert "Meridian Systems" in page.text
    assert "更新" in page.text
    assert "owed by contract" in page.text


@pytest.mark.parametrize("role", PEOPLE)
async def test_each_role_reads_and_changes_what_the_table_says(servers: Servers, role: AccessRole) -> None:
    """By the page, and by a form that no page offered."""
    somebody = await person(servers, AccessRole.SALES)
    browser = await with_role(servers, role)
    paths = {page: f"/settings/{page}" for page in PAGES} | {"person": f"/settings/staff/{somebody}"}
    shown_to = {"prices": FieldGroup.PRICES, "keys": FieldGroup.KEYS}
    for page, path in paths.items():
        await browser.open(path)
        may = page not in shown_to or role in MAY_SEE[shown_to[page]]
        assert (browser.answer.status_code == 200) == may, (path, browser.answer.status_code)
    await browser.open("/settings")
    assert [page for page in PAGES if f"/settings/{page}" in browser.page.links] == [
        page for page in PAGES if page not in shown_to or role in MAY_SEE[shown_to[page]]
    ]
    token = next(form.fields["token"] for form in browser.page.forms if form.method == "post")
    acts = {
        ("prices", "publish"): WriteAct.PUBLISH_PRICES,
        ("calendars", "add"): WriteAct.ADD_HOLIDAY,
        ("calendars", "withdraw"): WriteAct.WITHDRAW_HOLIDAY,
        ("policies", "entitle"): WriteAct.PUT_ENTITLEMENT,
        ("staff", "add"): WriteAct.ADD_STAFF,
        ("staff", "team"): WriteAct.PUT_TEAM,
        ("person", "change"): WriteAct.CHANGE_STAFF,
        ("person", "grant"): WriteAct.GRANT_ACCESS,
        ("person", "agent"): WriteAct.PUT_AGENT,
        ("person", "leave"): WriteAct.RETIRE_STAFF,
        ("keys", "make"): WriteAct.ADD_KEY,
        ("keys", "rotate"): WriteAct.ROTATE_KEY,
        ("keys", "revoke"): WriteAct.REVOKE_KEY,
    }
    wrong = []
    for (page, do), act in acts.items():
        sent = {"token": token, "do": do, "reason": "r", "of": "nothing", "to": somebody, "email": "no address"}
        answer = await browser.http.post(paths[page], data=sent)
        if (answer.status_code == 403) == (role in MAY_DO[act]):
            wrong.append((page, do, answer.status_code))
    assert not wrong


def test_every_question_of_settings_has_its_words_in_japanese() -> None:
    known = yaml.safe_load((FOLDER / "words" / "ja.yaml").read_text(encoding="utf-8")).keys()
    models = (NewPrice, NewDayOff, EntitlementDocument, Person, Grant, AgentDocument, TeamDocument, NewKey, Staff)
    fields = [field for model in models for field in _all(fields_of(model.model_json_schema()))]
    beside = {"roles", "own_only", "team", "staff"}  # asked by boxes, or not at all
    assert not {f"field.{field.name}" for field in fields if field.name not in beside} - known
    assert not {f"choice.{one}" for field in fields if field.name not in beside for one in field.options} - known
