"""Playbooks in the console: nothing typed is lost, each fault has its line, and they come to customers only as they were rehearsed."""

from __future__ import annotations

import asyncio
from itertools import count

import yaml

from domain.frame.access import AccessRole
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, Shown, with_role
from tests.workflows.success.test_playbook_changes import another, record

_numbers = count(1)


async def _segment(servers: Servers) -> tuple[str, str, str]:
    """A segment of one customer: its name, the account, and the text of its version 1."""
    document = order()
    account, segment = str(document["account"]["account_id"]), f"console_{next(_numbers)}"
    await servers.client.place_order(document)
    first = (await another(servers, "standard", 1)).having(segment=segment)
    await record(servers, first)
    await servers.pool.execute(
        "update account set segment = $2, playbook_version = 1 where account_id = $1", account, segment
    )
    return (
        segment,
        account,
        yaml.safe_dump(first.model_dump(mode="json", exclude_defaults=True), allow_unicode=True, sort_keys=False),
    )


async def _press(browser: Browser, segment: str, does: str, text: str) -> Shown:
    """Types a text into the page that is shown, and presses a button."""
    return await browser.send(f"/playbooks/{segment}", does, text=text)


async def _over(browser: Browser, segment: str) -> Shown:
    """The page, once the work that was begun there is over."""
    for _ in range(200):
        page = await browser.open(f"/playbooks/{segment}")
        if "http-equiv" not in page.html:
            return page
        await asyncio.sleep(0.1)
    raise AssertionError("it goes on and on")


def _typed(page: Shown, segment: str) -> str:
    return next(form for form in page.forms if form.action == f"/playbooks/{segment}").fields["text"].lstrip("\n")


async def test_a_fault_is_told_with_its_line_and_what_was_typed_is_kept(servers: Servers) -> None:
    segment, _, text = await _segment(servers)
    browser = await with_role(servers, AccessRole.SUCCESS)
    page = await browser.open(f"/playbooks/{segment}")
    assert yaml.safe_load(_typed(page, segment))["segment"] == segment
    for wrong, line, says in (
        (text.replace("version: 1", "version: no"), "version: no", "integer"),
        (text + "plays: [", "plays: [", "YAML"),
        (text.replace("title: Standard customers", "title: Changed"), "version: 1", "raises the version"),
        (text + "x: &a [1]\ny: [*a, *a]\n", "y: [*a, *a]", "write it out"),
        (text.replace(f"segment: {segment}", "segment: standard"), "segment: standard", "must be"),
    ):
        await browser.open(f"/playbooks/{segment}")
        page = await _press(browser, segment, "check", wrong)
        assert browser.answer.status_code == 422, wrong
        number = wrong.splitlines().index(line) + 1 if line != "plays: [" else None
        assert says in page.text, page.text
        assert number is None or f"Line {number} {line}" in page.text, page.text
        assert _typed(page, segment) == wrong
        assert _typed(await browser.open(f"/playbooks/{segment}"), segment) == wrong
    page = await _press(browser, segment, "check", text)
    assert "It can be used." in page.text


async def test_it_is_rehearsed_then_brought_to_its_customers_and_stands_in_the_log(servers: Servers) -> None:
    segment, account, text = await _segment(servers)
    browser = await with_role(servers, AccessRole.OPERATOR)
    await browser.open(f"/playbooks/{segment}")
    text = text.replace("version: 1", "version: 2") + "adoption: {every_days: 14}\n" * ("adoption:" not in text)
    page = await _press(browser, segment, "rehearse", text)
    page = await _over(browser, segment)
    assert "Tried on 1 customers" in page.text
    assert await servers.pool.fetchval("select playbook_version from account where account_id = $1", account) == 1
    waits = "waits" in page.text
    unsaid = await _press(browser, segment, "apply", text)
    assert (browser.answer.status_code, "Say why" in unsaid.text) == (409, True), unsaid.text
    await browser.send(f"/playbooks/{segment}", "apply", text=text, reason="more check-ins")
    page = await _over(browser, segment)
    assert "1 of 1 customers" in page.text
    found = await servers.pool.fetchval("select playbook_version from account where account_id = $1", account)
    assert (found == 2) != (waits or account in page.text), page.text
    log = await servers.pool.fetch(
        "select operation, outcome, reason from audit_entry where subject like $1", f"playbook/{segment}%"
    )
    assert [tuple(row) for row in log] == [("apply_playbook", "done", "more check-ins")]
    assert f"segment: {segment}" in (await browser.http.get(f"/playbooks/{segment}/file")).text


async def test_what_was_not_rehearsed_is_not_applied_and_who_may_not_only_reads(servers: Servers) -> None:
    segment, account, text = await _segment(servers)
    second = text.replace("version: 1", "version: 2")
    browser = await with_role(servers, AccessRole.ADMIN)
    page = await browser.open(f"/playbooks/{segment}")
    form = next(form for form in page.forms if form.action == f"/playbooks/{segment}")
    assert ("do", "apply") not in form.buttons
    answer = await browser.http.post(form.action, data={**form.fields, "text": second, "do": "apply"})
    assert answer.status_code == 409
    assert "rehearse it first" in Shown(answer.text).text
    seller = await with_role(servers, AccessRole.SALES)
    page = await seller.open(f"/playbooks/{segment}")
    form = next(form for form in page.forms if form.action == f"/playbooks/{segment}")
    assert not form.buttons
    for does in ("save", "rehearse", "apply"):
        answer = await seller.http.post(form.action, data={**form.fields, "text": "mine", "do": does})
        assert answer.status_code == 403
    assert _typed(await seller.open(f"/playbooks/{segment}"), segment) == second
    assert await servers.pool.fetchval("select playbook_version from account where account_id = $1", account) == 1


async def test_of_two_who_write_at_once_the_second_one_loses_nothing_and_overwrites_nothing(servers: Servers) -> None:
    segment, _, text = await _segment(servers)
    one, two = await with_role(servers, AccessRole.ADMIN), await with_role(servers, AccessRole.SUCCESS)
    await one.open(f"/playbooks/{segment}")
    await two.open(f"/playbooks/{segment}")
    await _press(one, segment, "save", text + "# of one\n")
    page = await _press(two, segment, "save", text + "# of two\n")
    assert two.answer.status_code == 409
    assert "# of two" in _typed(page, segment)
    assert "# of one" in _typed(await two.open(f"/playbooks/{segment}"), segment)
