"""`perennial events …`: a source added and tried, what waits seen with its reason, mended, linked and done."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

from activities.frame import event_rows
from activities.kernel.clock import present
from tests.conftest import Servers
from tests.gateway.api.callers import calling
from tests.gateway.api.test_reading import placed
from tests.gateway.events.sources import PAYLOADS, Shop, payload
from tests.workers.cli.running import Ended, beside, perennial
from workers.wiring import build_desk


async def test_a_source_is_added_and_what_it_sends_is_seen_linked_mended_and_done(
    servers: Servers, tmp_path: Path
) -> None:
    account = (await placed(servers))["account"]["account_id"]
    beside(servers, tmp_path)
    dsn = servers.settings.database_url.get_secret_value()
    source = f"pay-{uuid4().hex[:8]}"

    async def run(*arguments: str, given: bytes = b"") -> Ended:
        return await perennial("events", *arguments, dsn=dsn, folder=tmp_path, width=400, given=given)

    mapping = await run("mappings", "stripe")
    (tmp_path / "ours.yaml").write_text(mapping.out.replace("type == 'invoice.paid'", "type == 'invoice.payd'"))
    (tmp_path / "wrong.yaml").write_text(mapping.out.replace("minor(", "minus_cents(", 1))
    event = str(PAYLOADS / "stripe_invoice_paid.json")
    wrong = await run("add-source", source, "--mapping", "wrong.yaml", "--secret-from", "-", given=b"whsec_1\n")
    tried = await run("try", event, "--source", "stripe")
    added = await run("add-source", source, "--mapping", "ours.yaml", "--secret-from", "-", given=b"whsec_1\n")
    assert (wrong.code, added.code) == (1, 0), added.err
    assert "there is no function minus_cents()" in wrong.err
    assert "wrong.yaml:" in wrong.err
    assert [one["operation"] for one in json.loads(tried.out)] == ["book_payment"]
    assert "whsec_1" not in added.out

    desk = build_desk(servers.temporal, servers.pool, servers.settings)
    sent = payload("stripe_invoice_paid")
    sent["data"]["object"]["metadata"] = {"perennial_invoice": f"INV-{account}-1"}
    async with calling(servers, None) as http:
        came = await Shop(servers, http, desk, source, "whsec_1", "stripe").tell(sent)
    assert came["status"] == "ignored"
    (tmp_path / "right.yaml").write_text(mapping.out)
    assert "goes by this mapping now" in (await run("add-source", source, "--mapping", "right.yaml")).out
    unlinked = await run("replay", came["event_id"])
    listed = await run("list", "--source", source)
    linked = await run("link", source, "cus_Tanuki", account)
    assert "UnknownLink" in unlinked.out
    assert "is linked to no account" in listed.out
    assert "1 event looked at again" in linked.out
    await desk.settle_new()
    shown = await run("show", came["event_id"][:12])
    assert f"book_payment of account/{account}" in shown.out
    discarded = await run("discard", came["event_id"], "a trial")
    assert discarded.code == 0
    stopped = await run("stop-source", source)
    assert stopped.code == 0
    async with servers.pool.acquire() as connection:
        assert await event_rows.source_of(connection, source, present()) is None
        found = await event_rows.find_event(connection, came["event_id"])
    assert found is not None
    assert (found["status"], found["reason"]) == ("discarded", "a trial")
