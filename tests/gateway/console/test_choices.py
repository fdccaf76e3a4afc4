"""Ids are chosen and not typed: lists in forms, buttons beside what they are about, other customers found by their names."""

from __future__ import annotations

from typing import Any

import pytest

from domain.frame.access import AccessRole
from gateway.cases import CaseClient
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, Form, with_role


async def _placed(servers: Servers, name: str = "") -> dict[str, Any]:
    document = order()
    if name:
        document["account"]["name"] = name
    await servers.client.place_order(document)
    return document


def _form(browser: Browser, path: str) -> Form:
    return next(form for form in browser.page.forms if form.action == path.partition("?")[0])


async def _led(browser: Browser, account: str, update: str) -> tuple[str, Form]:
    """The form that a button of the customer's page opens."""
    page = await browser.open(f"/customers/{account}")
    link = next(link for link in page.links if f"/acts/{update}?" in link)
    await browser.open(link)
    return link.partition("?")[0], _form(browser, link)


async def test_tasks_milestones_and_steps_have_the_acts_that_are_about_them(servers: Servers) -> None:
    document = await _placed(servers)
    account = document["account"]["account_id"]
    browser = await with_role(servers, AccessRole.SUCCESS, titles=("manager",))
    path, form = await _led(browser, account, "complete_task")
    milestone = form.fields["task"]
    assert milestone in form.options["task"]
    assert form.fields["order_id"] == document["order_id"]
    page = await browser.send(path, evidence="all were there")
    assert "done." in page.text
    done = "select status from onboarding_task where account_id = $1 and name = $2"
    assert await servers.pool.fetchval(done, account, milestone) == "done"
    path, form = await _led(browser, account, "skip_step")
    assert form.fields["step"] in form.options["step"]
    page = await browser.send(path, reason="they know it all")
    assert "done." in page.text, page.text
    assert form.fields["step"] not in browser.answer.text


async def test_a_hold_is_lifted_by_the_button_beside_it(servers: Servers) -> None:
    account = (await _placed(servers))["account"]["account_id"]
    browser = await with_role(servers, AccessRole.SALES)
    await browser.open(f"/customers/{account}/acts/place_hold")
    await browser.send(f"/customers/{account}/acts/place_hold", level="block", reason="their board meets")
    path, form = await _led(browser, account, "lift_hold")
    assert [len(form.options["hold_id"]), form.fields["hold_id"]] == [2, form.options["hold_id"][1]]
    assert "their board meets" in browser.page.text
    await browser.send(path, reason="it met")
    live = "select count(*) from sales_hold where account_id = $1 and lifted_at is null"
    assert await servers.pool.fetchval(live, account) == 0
    operator = await with_role(servers, AccessRole.OPERATOR)
    links = (await operator.open(f"/customers/{account}")).links
    assert not [link for link in links if "complete_task" in link], "only what the reader may ask"
    assert [link for link in links if "/acts/skip_step?step=" in link]


@pytest.mark.parametrize(
    ("update", "question"),
    [("change_account", "owner"), ("change_account", "success_manager"), ("hand_over_staff_task", "to")],
)
async def test_our_people_are_chosen_by_their_names(servers: Servers, update: str, question: str) -> None:
    document = await _placed(servers)
    browser = await with_role(servers, AccessRole.SALES)
    path = f"/customers/{document['account']['account_id']}/acts/{update}"
    await browser.open(path)
    owner = document["account"]["owner"]
    assert owner["staff_id"] in _form(browser, path).options[question]
    assert owner["name"] in browser.page.text


async def test_the_line_of_a_price_match_and_who_takes_over_are_chosen_on_the_page_of_a_case(servers: Servers) -> None:
    document = await _placed(servers)
    case_id = f"C-{document['account']['account_id']}"
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    await cases.open_case(
        {"case_id": case_id, "account_id": document["account"]["account_id"], "subject": "Too dear", "body": "was less"}
    )
    agent = {"staff_id": "s-choices", "name": "Ada Choice", "email": "ada.choice@seller.example"}
    await cases.put_team({"team": "choices", "name": "Choices"})
    await cases.put_agent({"staff": agent, "team": "choices"})
    browser = await with_role(servers, AccessRole.SERVICE)
    await browser.open(f"/cases/{case_id}")
    options = _form(browser, f"/cases/{case_id}/acts/claim_price_match").options
    assert document["order_id"] in options["order_id"]
    lines = [line["line_id"] for of in (document, *document["contracts"]) for line in of.get("lines", ())]
    assert set(lines) == set(options["line_id"]) - {""}
    assert "s-choices" in _form(browser, f"/cases/{case_id}/acts/escalate").options["to"]


async def test_another_customer_is_found_by_a_part_of_the_name(servers: Servers) -> None:
    account = (await _placed(servers))["account"]["account_id"]
    other = (await _placed(servers, "Quokka Roasters"))["account"]["account_id"]
    browser = await with_role(servers, AccessRole.SALES)
    path = f"/customers/{account}/acts/transfer_assets"
    await browser.open(path)
    await browser.send(path, "find", to_account="nobody has this name", reason="sold to them")
    assert "No customer is found" in browser.page.text or "no customer is found" in browser.page.text
    await browser.send(path, "find", to_account="quokka")
    form = _form(browser, path)
    assert (form.options["to_account"], form.fields["to_account"]) == (["", other], other)
    assert form.fields["reason"] == "sold to them", "what was typed stays"
    own = await with_role(servers, AccessRole.SALES, own_only=True)
    assert (await own.http.get(path)).status_code == 403


async def test_several_are_ticked_where_several_may_be_meant(servers: Servers) -> None:
    document = await _placed(servers)
    account, contact = document["account"]["account_id"], document["contacts"][0]["contact_id"]
    browser = await with_role(servers, AccessRole.SALES)
    path = f"/customers/{account}/acts/choose_mails"
    await browser.open(path)
    fields = {**_form(browser, path).fields, "contact_id": contact, "declined#surveys": "1", "declined#offers": "1"}
    assert "Surveys" in browser.page.text or "surveys" in browser.page.text
    answer = await browser.http.post(path, data=fields, follow_redirects=True)
    assert "done." in answer.text
    wish = "select declined from mail_wish where account_id = $1"
    assert sorted(await servers.pool.fetchval(wish, account)) == ["offers", "surveys"]
