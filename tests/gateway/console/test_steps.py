"""From a line of a page into the Temporal UI: to the event that did it, or to its run; for whoever sees the page, and nowhere else."""

from __future__ import annotations

import re

import pytest

from domain.frame.access import AccessRole
from gateway.cases import CaseClient
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import person, signed_in

pytestmark = pytest.mark.engine  # histories and lists are the server's own
UI = "http://ui.test"
EVENT = re.compile(UI + r"/namespaces/[\w-]+/workflows/([\w%-]+)/[0-9a-f-]{36}/history/events/(\d+)")


async def test_each_line_leads_to_the_event_that_did_it(servers: Servers) -> None:
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    case_id = f"C-{account}"
    await cases.open_case({"case_id": case_id, "account_id": account, "subject": "Till is down", "body": "since nine"})
    browser = await signed_in(servers, await person(servers, AccessRole.ADMIN), ui=UI)
    led = {}
    for path in (f"/customers/{account}", f"/cases/{case_id}"):
        page = await browser.open(path)
        for link in dict.fromkeys(one for one in page.links if "/step?" in one):
            answer = await browser.http.get(link)
            assert answer.status_code == 303, link
            led[link] = answer.headers["location"]
    found = {link: EVENT.fullmatch(to) for link, to in led.items()}
    of_order = next(event for link, event in found.items() if "of=journey" in link and "order%3A" in link)
    of_case = next(event for link, event in found.items() if link.startswith(f"/cases/{case_id}/step?at=") and event)
    assert of_order
    assert of_order[1] == f"journey-{account}"
    assert of_case[1] == f"case-{case_id}"
    handle = servers.temporal.get_workflow_handle(f"journey-{account}")
    events = {event.event_id: event async for event in handle.fetch_history_events()}
    asked = events[int(of_order[2])].activity_task_scheduled_event_attributes
    assert asked.activity_type.name == "activate_order"
    assert all(to.startswith(f"{UI}/namespaces/") for to in led.values())


async def test_what_no_history_knows_leads_to_the_run_and_nobody_to_what_they_do_not_see(servers: Servers) -> None:
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    admin = await signed_in(servers, await person(servers, AccessRole.ADMIN), ui=UI)
    for query in ("", "?of=nothing&at=2026-01-01T00:00:00%2B00:00", "?at=soon", "?of=//evil.example"):
        answer = await admin.http.get(f"/customers/{account}/step{query}")
        assert (answer.status_code, answer.headers["location"].endswith(f"/workflows/journey-{account}")) == (303, True)
    stranger = await signed_in(servers, await person(servers, AccessRole.SALES, own_only=True), ui=UI)
    assert (await stranger.http.get(f"/customers/{account}/step")).status_code == 403
    without = await signed_in(servers, await person(servers, AccessRole.ADMIN))
    page = await without.open(f"/customers/{account}")
    assert not [one for one in page.links if "/step?" in one]
    assert (await without.http.get(f"/customers/{account}/step")).status_code in (404, 409, 422)
