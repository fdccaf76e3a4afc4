"""Events that other systems are told: seen, redelivered under the same id, and no more of them sent where nothing arrives."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import jsonschema
import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.channels import webhook_rows
from activities.channels.events import Webhooks
from activities.channels.webhooks import WebhookChannel
from activities.frame.unit_of_work import Performer
from activities.kernel.clock import present
from domain.frame.access import AccessRole
from domain.frame.flight import DeliveryCall
from domain.journey.event_catalogue import CATALOGUE
from domain.journey.webhooks import EventType, message_id
from gateway.api.app import create_app
from gateway.console.app import console
from gateway.console.visit import Place
from gateway.doors import Doors
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of
from tests.gateway.api.test_reading import placed
from tests.gateway.console.browser import as_person, in_front_of, person
from tests.webhook_receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def _written(servers: Servers, account: str, status: str) -> str:
    """An event of a customer that stands so; the id of its row."""
    delivery_id = f"journey:{account}/{uuid4().hex[:8]}#event0"
    body = {
        "type": "invoice.paid",
        "timestamp": "2027-03-12T00:00:00Z",
        "data": {"account_id": account, "invoice_id": "I-1"},
    }
    await servers.pool.execute(
        "insert into outbox (delivery_id, account_id, channel, stage, body, created_at, status, settled_at)"
        " values ($1, $2, 'deliver_webhook', '', $3, $4, $5, $6)",
        delivery_id,
        account,
        body,
        present(),
        status,
        None if status == "waiting" else present(),
    )
    return delivery_id


def _doors(servers: Servers, url: str) -> Doors:
    return Doors(servers.temporal, servers.pool, webhooks=WebhookChannel(url, SECRET))


async def test_an_event_that_was_given_up_is_told_again_under_its_id(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    id = message_id(await _written(servers, account, "rejected"))
    await _written(servers, account, "sent")
    operator, sales, service = [
        await token_of(servers, role) for role in (AccessRole.OPERATOR, AccessRole.SALES, AccessRole.SERVICE)
    ]
    with Receiver(SECRET, [503]) as receiver:
        options = {"webhooks": WebhookChannel(receiver.url, SECRET)}
        async with calling(servers, operator, **options) as http:
            listed = (await http.get("/deliveries", params={"state": "given_up", "account_id": account})).json()[
                "items"
            ]
            failed = await http.post(f"/deliveries/{id}/redeliver", json={"reason": "they lost it"})
            taken = await http.post(f"/deliveries/{id}/redeliver", json={}, headers={"Idempotency-Key": f"k-{id}"})
            again = await http.post(f"/deliveries/{id}/redeliver", json={}, headers={"Idempotency-Key": f"k-{id}"})
            page = (await http.get("/deliveries", params={"account_id": account, "limit": 1})).json()
            unknown = await http.post(f"/deliveries/msg_{'0' * 32}/redeliver", json={})
        async with calling(servers, sales, **options) as http:
            not_theirs = await http.post(f"/deliveries/{id}/redeliver", json={})
            body = (await http.get(f"/deliveries/{id}")).json()["body"]
        async with calling(servers, service, **options) as http:
            assert "body" not in (await http.get(f"/deliveries/{id}")).json()
    assert [one["message_id"] for one in listed] == [id]
    assert (failed.json()["state"], failed.json()["last_error"]) == ("given_up", "127.0.0.1 answered 503")
    assert (taken.json()["state"], taken.json()["tries"], again.json()) == ("delivered", 2, taken.json())
    assert (len(page["items"]), page["next"] is not None) == (1, True)
    assert (unknown.status_code, not_theirs.status_code) == (404, 403)
    assert [(one.id, one.genuine, one.body) for one in receiver.attempts] == [(id, True, body)] * 2
    reason = await servers.pool.fetchval(
        "select reason from audit_entry where subject = $1 order by audit_id limit 1", f"delivery/{id}"
    )
    assert reason == "they lost it"


async def test_an_endpoint_at_which_nothing_arrives_for_days_is_disabled_until_something_does(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    with Receiver(SECRET, [500]) as receiver:
        webhooks = Webhooks(
            Performer(servers.pool, "InfintraBytes", webhooks=True), WebhookChannel(receiver.url, SECRET)
        )

        async def deliver() -> str:
            row = await _written(servers, account, "waiting")
            call = DeliveryCall(account_id=account, delivery_id=row.partition("/")[2], as_of=present())
            await ActivityEnvironment().run(webhooks.deliver_webhook, call)
            return row

        async with servers.pool.acquire() as connection:
            assert not await webhook_rows.note_failing(
                connection, receiver.url, present() - timedelta(days=4, hours=23)
            )
            assert not await webhook_rows.note_failing(connection, receiver.url, present())
            await connection.execute(
                "update webhook_endpoint set failing_since = failing_since - interval '2 hours' where url = $1",
                receiver.url,
            )
        with pytest.raises(ApplicationError):
            await deliver()
        kept = await deliver()
        assert len(receiver.attempts) == 1
        row = await servers.pool.fetchrow("select status, reason from outbox where delivery_id = $1", kept)
        assert row is not None
        assert (row["status"], "perennial deliveries redeliver" in row["reason"]) == ("rejected", True)
        doors = _doors(servers, receiver.url)
        operator, seller = await person(servers, AccessRole.OPERATOR), await person(servers, AccessRole.SALES)
        app = create_app(doors, console(Place(doors, True)))
        browser = await as_person(servers, in_front_of(app), operator)
        shown = await browser.open("/deliveries?state=given_up")
        assert "nothing arrived there for days" in shown.text
        about = f"/deliveries/{message_id(kept)}"
        unsaid = await browser.send(about)
        assert "has arrived" not in unsaid.text
        sent = await browser.send(about, reason="it is back")
        assert "has arrived" in sent.text
        assert "Nothing is sent there" not in sent.text
        why = "select array_agg(reason) from audit_entry where subject = $1"
        assert await servers.pool.fetchval(why, f"delivery/{message_id(kept)}") == ["it is back"]
        others = await as_person(servers, in_front_of(app), seller)
        refused = await others.open("/deliveries")
        assert (others.answer.status_code, "/deliveries" in refused.links) == (403, False)
        after = await deliver()
    assert await servers.pool.fetchval("select status from outbox where delivery_id = $1", after) == "sent"


def test_the_catalogue_has_every_event_with_an_example_that_is_as_its_schema_says() -> None:
    assert {one.type for one in CATALOGUE} == set(EventType)
    for one in CATALOGUE:
        schema: dict[str, Any] = one.schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(one.example(), schema)
        assert datetime.fromisoformat(one.example()["timestamp"]).tzinfo is not None
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**one.example(), "data": {}}, schema)


@pytest.mark.engine
async def test_the_console_lists_what_has_not_left_and_has_it_tried_now(servers: Servers) -> None:
    """A form asks the journey to try that one, or all of its own; of a mail that its journey has lost sight of it says so."""
    account = (await placed(servers))["account"]["account_id"]
    await servers.pool.execute(
        "insert into outbox (delivery_id, account_id, channel, stage, body, created_at) values ($1, $2, 'deliver_mail', '', $3, $4)",
        f"journey:{account}/lost#0",
        account,
        {"template": "notice"},
        present() - timedelta(days=900),
    )
    operator = await person(servers, AccessRole.OPERATOR)
    app = create_app(
        _doors(servers, "http://127.0.0.1:1/"), console(Place(_doors(servers, "http://127.0.0.1:1/"), True))
    )
    browser = await as_person(servers, in_front_of(app), operator)
    shown = await browser.open("/deliveries")
    form = f"/customers/{account}/acts/retry_deliveries"
    assert "What has not left" in shown.text
    (link,) = [one for one in shown.links if one.startswith(form) and "lost" in one]
    lost = f"journey:{account}/lost#0"
    assert parse_qs(urlsplit(link).query) == {"delivery": [lost]}
    await browser.open(link)
    told = await browser.send(form, delivery=lost)
    assert "is not on its way" in told.text
    await browser.send(form, delivery="")
    asked = (
        "select array_agg(outcome order by at) from audit_entry where operation = 'retry_deliveries' and subject = $1"
    )
    assert await servers.pool.fetchval(asked, f"account/{account}") == ["NotAllowed", "done"]
    await servers.pool.execute("delete from outbox where delivery_id = $1", f"journey:{account}/lost#0")
    assert link not in (await browser.open("/deliveries")).links


async def test_what_has_not_left_is_listed_while_the_engine_is_away(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    await _written(servers, account, "waiting")
    gone = Doors(await Client.connect("127.0.0.1:1", lazy=True), servers.pool)
    app = create_app(gone, console(Place(gone, True)))
    browser = await as_person(servers, in_front_of(app), await person(servers, AccessRole.OPERATOR))
    shown = await browser.open("/deliveries")
    assert "the engine does not say" in shown.text
    assert any(one.startswith(f"/customers/{account}/acts/retry_deliveries?delivery=") for one in shown.links)
