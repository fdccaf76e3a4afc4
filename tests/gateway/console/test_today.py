"""The first page: what somebody has before them, and what is done about it in place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.kernel.clock import present
from domain.frame.access import AccessRole
from gateway.cases import CaseClient
from gateway.console import today
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import person, signed_in, with_role


async def _owned(servers: Servers, staff_id: str) -> str:
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    await servers.pool.execute("update account set owner_id = $2 where account_id = $1", account, staff_id)
    return account


async def _task(servers: Servers, account: str, staff_id: str, title: str, days: int = 1) -> str:
    task_id = f"t-{account}-{title[:4]}".lower().replace(" ", "-")
    await servers.pool.execute(
        "insert into staff_task (task_id, account_id, key, opened_at, title, reason, staff_id, due_at)"
        " values ($1, $2, $3, $4, $5, 'they asked', $6, $7)",
        task_id,
        account,
        f"quote/{title[:4]}",
        present(),
        title,
        staff_id,
        present() + timedelta(days=days),
    )
    return task_id


async def test_my_tasks_are_done_put_off_and_handed_over_in_place(servers: Servers) -> None:
    me, colleague = await person(servers, AccessRole.SALES), await person(servers, AccessRole.SALES)
    account = await _owned(servers, me)
    ids = {title: await _task(servers, account, me, title) for title in ("call them", "send it", "look at it")}
    await _task(servers, account, colleague, "not mine")
    browser = await signed_in(servers, me)
    page = await browser.open("/")
    assert all(title in page.text for title in ids)
    assert "not mine" not in page.text
    forms = {(form.action.rpartition("/")[2], form.fields.get("task_id")): form for form in page.forms}
    day = f"{present() + timedelta(days=9):%Y-%m-%d}"
    for update, title, typed in (
        ("finish_staff_task", "call them", {"outcome": "they like it"}),
        ("snooze_staff_task", "send it", {"until": day}),
        ("hand_over_staff_task", "look at it", {"to": colleague, "reason": "away"}),
    ):
        form = forms[update, ids[title]]
        answer = await browser.http.post(form.action, data={**form.fields, **typed}, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        assert answer.url.path == "/"
        assert ": done." in answer.text
    why = "select array_agg(reason order by audit_id) from audit_entry where subject = $1"
    assert await servers.pool.fetchval(why, f"account/{account}") == ["they like it", "", "away"]
    rows = await servers.pool.fetch("select title, closed_at is not null, snoozed_until is not null, staff_id from staff_task"
                                    " where account_id = $1 and title = any($2) order by title", account, list(ids))  # fmt: skip
    assert [tuple(row) for row in rows] == [
        ("call them", True, False, me),
        ("look at it", False, False, colleague),
        ("send it", False, True, me),
    ]


async def test_what_is_refused_about_a_task_is_told_with_what_was_typed(servers: Servers) -> None:
    me = await person(servers, AccessRole.SALES)
    account = await _owned(servers, me)
    task_id = await _task(servers, account, me, "call them")
    browser = await signed_in(servers, me)
    page = await browser.open("/")
    form = next(form for form in page.forms if form.action.endswith("/snooze_staff_task"))
    yesterday = f"{present() - timedelta(days=2):%Y-%m-%d}"
    answer = await browser.http.post(form.action, data={**form.fields, "until": yesterday, "reason": "ill"})
    assert answer.status_code == 422
    assert f'value="{yesterday}"' in answer.text
    assert 'value="ill"' in answer.text or ">ill</textarea>" in answer.text
    assert task_id in answer.text


async def test_renewals_health_promises_holds_and_mails_are_before_those_they_concern(servers: Servers) -> None:
    me = await person(servers, AccessRole.SALES, AccessRole.SERVICE)
    account = await _owned(servers, me)
    now = present()
    await servers.pool.execute(
        "insert into health_score (account_id, at, score, band, parts, since) values"
        " ($1, $2, 82, 'healthy', '[]', $2), ($1, $3, 31, 'critical', '[]', $3)",
        account,
        now - timedelta(days=9),
        now,
    )
    await servers.pool.execute(
        "insert into sales_hold (hold_id, account_id, scope, level, reason, source, says, since, recorded_at)"
        " values ($1, $1, 'customer', 'block', 'manual', 'x', 'they are angry', $2, $2)",
        account,
        now,
    )
    await servers.pool.execute(
        "update contract_term set until = $2::timestamptz::date, ends_at = $2 where contract_id in"
        " (select contract_id from contract where account_id = $1)",
        account,
        now + timedelta(days=40),
    )
    await servers.pool.execute(
        "insert into inbox_message (inbox_id, raw, received_at, status, try_at, sender, subject, reason)"
        " values ($1, '', $2, 'unknown', $2, 'who@ever.example', 'Who am I', 'nobody known')",
        f"m-{account}",
        now,
    )
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    await cases.open_case(
        {
            "case_id": f"C-{account}",
            "account_id": account,
            "subject": "Nothing works",
            "impact": "high",
            "urgency": "high",
        }
    )
    contract = await servers.pool.fetchval("select min(contract_id) from contract where account_id = $1", account)
    browser = await signed_in(servers, me)
    page = await browser.open("/")
    for said in ("critical 31", "they are angry", "Who am I", "Nothing works", contract):
        assert said in page.text, said
    other = await with_role(servers, AccessRole.SALES)
    page = await other.open("/")
    for said in ("they are angry", "Who am I", "Nothing works", contract):
        assert said not in page.text, said
    assert "Nothing works" in (await other.open("/?all=1")).text
    clerk = await with_role(servers, AccessRole.FINANCE)
    assert "critical 31" not in (await clerk.open("/?all=1")).text
    own = await with_role(servers, AccessRole.SALES, own_only=True)
    assert "they are angry" not in (await own.open("/?all=1")).text


async def test_health_that_rose_or_was_never_better_is_no_fall(servers: Servers) -> None:
    me = await person(servers, AccessRole.SUCCESS)
    now, accounts = present(), {}
    for name, bands in (("fell", ("healthy", "watch")), ("rose", ("critical", "watch")), ("first", ("critical",)),
                        ("known", ("unknown", "critical")), ("further", ("watch", "critical"))):  # fmt: skip
        accounts[name] = await _owned(servers, me)
        await servers.pool.execute("update account set name = $2 where account_id = $1", accounts[name], f"It {name}")
        for n, band in enumerate(reversed(bands)):
            at = now - timedelta(days=5 * n)
            await servers.pool.execute(
                "insert into health_score (account_id, at, score, band, parts, since) values ($1, $2, $3, $4, '[]', $2)",
                accounts[name],
                at,
                None if band == "unknown" else 50,
                band,
            )
    text = (await (await signed_in(servers, me)).open("/today/fallen")).text
    assert {name for name in accounts if f"It {name}" in text} == {"fell", "further"}


async def test_a_list_that_is_longer_than_it_is_shown_says_so_and_goes_on(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = await person(servers, AccessRole.SALES)
    account = await _owned(servers, me)
    for n in range(5):
        await _task(servers, account, me, f"no{n} of five", days=n + 1)
    monkeypatch.setattr(today, "MOST", 2)
    browser = await signed_in(servers, me)
    page = await browser.open("/")
    assert "Only the first 2 are shown here." in page.text
    assert "no2 of five" not in page.text
    seen: list[int] = []
    for first in (0, 2, 4):
        page = await browser.open(f"/today/tasks?from={first}")
        seen += [n for n in range(5) if f"no{n} of five" in page.text]
        assert (f"/today/tasks?from={first + 2}" in page.links) is (first < 4)
    assert seen == [0, 1, 2, 3, 4]
    await browser.open("/today/mails")
    assert browser.answer.status_code == 404
