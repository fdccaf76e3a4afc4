"""A stack whose customers have keys of their own: the past is mended from histories while a key is kept, and is erased with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.worker import Replayer

from activities.journey import erasing
from activities.journey.erased_runs import OF_CUSTOMERS_KEY, CannotFinishError, runs_of
from activities.journey.erasing_rows import Whom
from domain.frame.access import AccessRole, Principal
from domain.kernel.ids import journey_id
from gateway.erasing import Erasures
from gateway.histories import remember
from gateway.in_the_clear import in_the_clear, payloads_of
from gateway.payloads.enclosing import ENCLOSED, GONE, STORE, Enclosing
from gateway.payloads.sealing import KEYS, Keys, Sealing
from gateway.plugin import own_plugin
from tests.builders import order
from tests.workers.cli.test_sealed import KEY
from workers.cli.stack import stack_up
from workers.wiring import WORKFLOWS

ADMIN = Principal("staff:S-9", "S-9", frozenset({AccessRole.ADMIN}))


async def test_an_order_is_read_as_long_as_its_customers_key_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv(KEYS, KEY)
    monkeypatch.setenv(STORE, str(tmp_path / "keys.db"))
    async with stack_up(tmp_path / "stack", keep=False, quiet=True) as up:
        document, other = order(), order()
        account = document["account"]["account_id"]
        workflow_id, temporal = journey_id(account), up.client.temporal
        for one in (document, other):
            await up.client.place_order(one)
        await up.client.fast_forward(account, timedelta(days=40))
        found = await in_the_clear(temporal)
        assert found is not None
        assert found.payloads == 0
        history = await temporal.get_workflow_handle(workflow_id).fetch_history()
        enclosed = [
            one for event in history.events for one in payloads_of(event) if one.metadata["encoding"] == ENCLOSED
        ]
        assert len(enclosed) == 2  # as it was sent, and as the activity got it
        acts = [act for act in (await remember(temporal, account)).done if act.is_order]
        assert [act.given["body"]["contacts"][0]["name"] for act in acts] == [document["contacts"][0]["name"]]

        # The key goes: the order reads as erased, the run replays and goes on, and other customers have theirs.
        codec = temporal.data_converter.payload_codec
        assert isinstance(codec, Enclosing)
        assert await codec.throw_away([workflow_id]) == 1
        assert [payload.data for payload in await codec.decode(enclosed[:1])] == [
            b'{"erased": "its key was thrown away"}'
        ]
        assert GONE == {"erased": "its key was thrown away"}
        assert [act for act in (await remember(temporal, account)).done if act.is_request] == []
        assert [act for act in (await remember(temporal, other["account"]["account_id"])).done if act.is_order] != []
        replayed = await Replayer(workflows=WORKFLOWS, plugins=[own_plugin()]).replay_workflow(history)
        assert replayed.replay_failure is None
        await up.client.ask(account, "complete_task", {"task": "kickoff", "evidence": "all were there"})
        await up.client.fast_forward(account, timedelta(days=30))
        assert await up.client.is_running(account)

        # An erasure throws it away, too.
        await up.client.ask(account, "close_journey", {"reason": "over"})
        erasures = Erasures(up.client, up.pool, "cli")
        erasure_id = await erasures.erase(ADMIN, Whom(account))
        # Who has no store cannot throw them away, and neither deletes nor signs anything.
        config = temporal.config()
        config["data_converter"] = replace(temporal.data_converter, payload_codec=Sealing(Keys.read(KEY)))
        config["plugins"] = []
        blind = Client(**config)
        before = [run.run_id async for run in runs_of(temporal, account)]
        with pytest.raises(CannotFinishError, match="which this process cannot throw away: set PERENNIAL_KEY_STORE"):
            await erasing.finish(up.pool, blind, erasure_id)
        assert [run.run_id async for run in runs_of(temporal, account)] == before
        assert await up.pool.fetchval("select over_at from erasure where erasure_id = $1", erasure_id) is None
        assert OF_CUSTOMERS_KEY == ENCLOSED
        certificate = await erasures.finish(erasure_id, within=60)
        assert certificate is not None
        assert certificate.keys == 1
        assert await erasures.check(certificate) == []
