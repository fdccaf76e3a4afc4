"""Another playbook for customers who are there: rehearsed, brought as rehearsed, and not one step more."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities.journey.rehearsals import Rehearsal, Trial, keep, rehearsed
from activities.kernel.clock import present
from domain.frame.playbook import Playbook
from domain.kernel.calendar import add_months
from domain.kernel.refusals import Refusal
from gateway.bringing import Batch, MoreThanRehearsedError, bring
from gateway.trials import held, try_on_all
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of
from tests.workflows.success.test_plays import play
from workers.cli import playbooks
from workers.cli.common import UserError

Said = pytest.CaptureFixture[str]
_segments = itertools.count(1)
TIP = play("tip", "order_activated", 100, repeat={"every": 30, "times": 2})
RICH = play("rich", "contract_end", -40, when="arr > 99999999.0", task={"title": "Meet them"})


async def pilots(servers: Servers, count: int) -> tuple[str, list[dict[str, Any]]]:
    """Customers of a segment of their own, whose playbook promises what that of `standard` does."""
    segment = f"pilot_{next(_segments)}"
    documents = [order() for _ in range(count)]
    for document in documents:
        await servers.client.place_order(document)
    body = await servers.pool.fetchval("select body from playbook where segment = 'standard' order by version limit 1")
    await record(servers, Playbook.model_validate(body | {"segment": segment, "version": 1, "plays": []}))
    await servers.pool.execute(
        "update account set segment = $1, playbook_version = 1 where account_id = any($2)",
        *(segment, [account_of(document) for document in documents]),
    )
    return segment, documents


async def record(servers: Servers, playbook: Playbook) -> None:
    await servers.pool.execute(
        "insert into playbook (segment, version, body) values ($1, $2, $3)",
        *(playbook.segment, playbook.version, playbook.model_dump(mode="json")),
    )


async def another(servers: Servers, segment: str, version: int, **changes: Any) -> Playbook:
    body = await servers.pool.fetchval("select body from playbook where segment = $1 order by version limit 1", segment)
    return Playbook.model_validate(body | {"version": version} | changes)


async def rehearse(servers: Servers, playbook: Playbook) -> tuple[dict[str, Trial], Rehearsal]:
    accounts = await held(servers.pool, playbook.segment)
    now = present()
    until = add_months(now.date(), 12)
    dsn = servers.settings.database_url.get_secret_value()
    trials = [one async for ready in try_on_all(dsn, playbook, accounts, now, until) for one in ready]
    async with servers.pool.acquire() as connection:
        await keep(connection, playbook, now, until, trials)
        kept = await rehearsed(connection, playbook)
        assert await rehearsed(connection, playbook.having(title="Another")) is None
    assert kept is not None
    return {one.account_id: one for one in trials}, kept


async def apply(servers: Servers, playbook: Playbook, rehearsal: Rehearsal, size: int = 2) -> list[Batch]:
    return [batch async for batch in bring(servers.client, servers.pool, playbook, rehearsal, "S-1", size)]


async def planned(servers: Servers, account: str) -> dict[str, date]:
    agenda = await servers.client.agenda_of(account)
    assert agenda is not None
    return {step.key: step.on for step in agenda.steps}


async def test_a_playbook_is_brought_as_it_was_rehearsed(servers: Servers) -> None:
    segment, documents = await pilots(servers, 3)
    accounts = [account_of(document) for document in documents]
    before = {account: await planned(servers, account) for account in accounts}
    playbook = await another(servers, segment, 2, plays=[TIP, RICH], adoption={"every_days": 45})
    trials, rehearsal = await rehearse(servers, playbook)
    assert {account: await planned(servers, account) for account in accounts} == before, "nobody was touched"
    for account, document in zip(accounts, documents, strict=True):
        trial, contract = trials[account], document["contracts"][0]["contract_id"]
        assert {key for key in trial.adds if key.startswith("play:")} == {
            f"play:tip/{document['order_id']}",
            f"play:tip/{document['order_id']}.2",
            f"play:rich/{contract}:1",
        }
        assert set(trial.asleep) == {f"play:rich/{contract}:1"}
        assert {key.partition("/")[0] for key in trial.drops} == {"adoption"}
    done = await apply(servers, playbook, rehearsal)
    assert [len(batch.brought) for batch in done] == [2, 1]
    for account, document in zip(accounts, documents, strict=True):
        assert not await apart(servers, account)
        now = await planned(servers, account)
        assert now[f"play:tip/{document['order_id']}"] == trials[account].adds[f"play:tip/{document['order_id']}"]
        new = {key for key in now if key.startswith("adoption/")}
        assert new <= set(trials[account].adds) | set(before[account])
        line = next(one for one in await servers.journal(account) if one["kind"] == "change_account")
        assert line["title"] == f"Account changed: playbook {segment} 1 to {segment} 2"
    assert await apply(servers, playbook, rehearsal) == [], "whoever has it is left aside"


async def test_it_stops_before_more_changes_than_were_rehearsed(servers: Servers) -> None:
    segment, documents = await pilots(servers, 2)
    playbook = await another(servers, segment, 2, plays=[TIP])
    _, rehearsal = await rehearse(servers, playbook)
    account = documents[0]["account"]
    again = order(account["account_id"], account={**account, "segment": "standard"}, contacts=documents[0]["contacts"])
    await servers.client.place_order(again)
    with pytest.raises(MoreThanRehearsedError) as stopped:
        await apply(servers, playbook, rehearsal)
    assert f"{account['account_id']} (4, rehearsed 2)" in str(stopped.value)
    assert {one.version for one in await held(servers.pool, segment)} == {1}
    _, rehearsal = await rehearse(servers, playbook)
    done = await apply(servers, playbook, rehearsal)
    assert sum(len(batch.brought) for batch in done) == 2


async def test_an_onboarding_keeps_its_promises_first(servers: Servers) -> None:
    segment, documents = await pilots(servers, 1)
    account = account_of(documents[0])
    playbook = await another(servers, segment, 2, onboarding={"tasks": []}, plays=[TIP])
    trials, rehearsal = await rehearse(servers, playbook)
    assert trials[account].waits
    [batch] = await apply(servers, playbook, rehearsal)
    assert (batch.waiting, batch.brought) == ([account], [])
    with pytest.raises(Refusal, match="an onboarding still promises"):
        await servers.client.ask(account, "change_account", {"playbook_version": 2, "by": "S-1"})
    with pytest.raises(Refusal, match=f"no playbook for segment '{segment}' 9"):
        await servers.client.ask(account, "change_account", {"playbook_version": 9, "by": "S-1"})


async def test_what_lies_behind_is_not_done_by_another_playbook(servers: Servers) -> None:
    segment, documents = await pilots(servers, 1)
    account = account_of(documents[0])
    await servers.client.fast_forward(account, timedelta(days=50))
    playbook = await another(servers, segment, 2, plays=[play("early", "order_activated", 10), TIP])
    await record(servers, playbook)
    await servers.client.ask(account, "change_account", {"playbook_version": 2, "by": "S-1"})
    assert not await apart(servers, account)
    steps = [key for key in await planned(servers, account) if key.startswith("play:")]
    assert steps == [f"play:tip/{documents[0]['order_id']}"]


async def test_by_command(servers: Servers, monkeypatch: pytest.MonkeyPatch, capsys: Said, tmp_path: Path) -> None:
    segment, documents = await pilots(servers, 2)

    @asynccontextmanager
    async def connections() -> AsyncIterator[Servers]:
        yield servers

    @asynccontextmanager
    async def database() -> AsyncIterator[Any]:
        yield servers.pool

    monkeypatch.setattr(playbooks, "connections", connections)
    monkeypatch.setattr(playbooks, "database", database)
    monkeypatch.setattr(playbooks, "_dsn", servers.settings.database_url.get_secret_value)
    rehearse_it, apply_it = playbooks.rehearse.__wrapped__, playbooks.apply.__wrapped__  # type: ignore[attr-defined]
    body = (await another(servers, segment, 2, plays=[TIP, RICH])).model_dump(mode="json", exclude_unset=True)
    file = tmp_path / f"{segment}.yaml"
    file.write_text(yaml.safe_dump(body), encoding="utf-8")
    with pytest.raises(UserError, match="was not rehearsed as it is"):
        await apply_it(file)
    with pytest.raises(UserError, match="give --portfolio"):
        await rehearse_it(file)
    await rehearse_it(file, portfolio=True)
    said = " ".join(capsys.readouterr().out.split())
    assert f"{segment} 2, tried on 2 customers" in said
    assert "6 steps added, 2 of them with a condition that does not hold today, 0 dropped, 0 moved" in said
    assert account_of(documents[0]) in said
    assert said.count("3 added (1 whose condition does not hold today), 0 dropped, 0 moved") == 2
    await apply_it(file, batch=1, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["adds"], told["waiting"], told["refused"], len(told["customers"])) == (6, [], {}, 2)
    file.write_text(yaml.safe_dump(body | {"title": "Another"}), encoding="utf-8")
    with pytest.raises(UserError, match="is on record with other content; a change raises the version"):
        await rehearse_it(file, portfolio=True)
