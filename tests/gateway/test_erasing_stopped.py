"""Erasures that cannot go on: each says why, leaves nothing half done, certifies nothing, and stops no other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from activities.journey import erasing
from activities.journey.erased_runs import CannotFinishError, forget_runs, look_for_runs, names_in, runs_of
from activities.journey.erasing_rows import Whom
from domain.frame.access import AccessRole, Principal
from domain.journey.erasures import ErasedWord
from domain.journey.traces import Traces
from domain.kernel.refusals import Refusal
from gateway.erasing import Erasures
from tests.builders import order
from tests.cases import case
from tests.conftest import Servers
from tests.e2e.lives import account_of, until
from tests.gateway.mail.post import Post
from tests.workers.cli.running import beside, perennial

pytestmark = pytest.mark.engine  # histories are the server's

ADMIN = Principal("staff:S-9", "S-9", frozenset({AccessRole.ADMIN}))
ELSEWHERE = [ErasedWord(key=999, kind="name", length=9, digest="00" * 16)]
"""Digests of a key that is not on record."""


def _of_two(mark: str) -> dict[str, Any]:
    document = order()
    document["contacts"] = [
        {"contact_id": "P-1", "name": f"Ottokar Nebelhorn{mark}", "email": f"nebelhorn@kuchen{mark}.example"},
        {"contact_id": "P-2", "name": f"Wilhelmine Sauerbier{mark}", "email": f"sauerbier@kuchen{mark}.example"},
    ]
    return document


async def _rows(servers: Servers, account: str) -> list[Any]:
    return list(await servers.pool.fetch("select * from erasure where account_id = $1", account))


async def test_what_is_refused_after_a_restore_leaves_no_erasure_behind(post: Post) -> None:
    servers, document = post.servers, _of_two("71")
    account = account_of(document)
    await servers.client.place_order(document)
    await post.cases.open_case(case(document, contact_id="P-1", subject="The till blinks"))
    erasures = Erasures(servers.client, servers.pool, "cli")
    with pytest.raises(Refusal, match="close case"):
        await erasures.erase(ADMIN, Whom(account, "P-1"), again=[])
    assert await _rows(servers, account) == []
    with pytest.raises(Refusal, match=r"no contact 'P-7'; its contacts: P-1, P-2$"):
        await erasures.erase(ADMIN, Whom(account, "P-7"))
    with pytest.raises(Refusal, match="'A-nowhere' is not on record"):
        await erasures.erase(ADMIN, Whom("A-nowhere", "P-1"), again=ELSEWHERE)


async def test_nothing_is_certified_while_a_table_names_them(servers: Servers) -> None:
    document = _of_two("72")
    account, whom = account_of(document), Whom(account_of(document), "P-1")
    await servers.client.place_order(document)
    erasures = Erasures(servers.client, servers.pool, "cli")
    erasure_id = await erasures.erase(ADMIN, whom)
    await servers.pool.execute(
        "update journal set title = $2 where account_id = $1", account, document["contacts"][0]["email"]
    )
    with pytest.raises(CannotFinishError, match=r"journal\.title names them again; erase them once more"):
        await erasures.finish(erasure_id, within=30)
    assert [row["over_at"] for row in await _rows(servers, account)] == [None]
    # The batch counts it, and goes on with those behind it.
    other = _of_two("73")
    await servers.client.place_order(other)
    behind = await erasures.erase(ADMIN, Whom(account_of(other), "P-1"))

    async def is_over() -> bool:
        report = await erasing.finish_each(servers.pool, servers.temporal, [erasure_id, behind])
        assert report.counts["stuck"] == 1
        return report.counts["over"] == 1

    await until(is_over, "the other one is over")
    await erasures.erase(ADMIN, whom)
    certificate = await erasures.finish(erasure_id, within=30)
    assert certificate is not None
    assert await erasures.finish(erasure_id) == certificate  # asked again, it is the one on record
    assert await erasures.check(certificate) == []


async def test_what_this_process_cannot_read_was_not_looked_through(servers: Servers) -> None:
    document = _of_two("74")
    account = account_of(document)
    await servers.client.place_order(document)
    config = servers.temporal.config()
    config["data_converter"] = replace(servers.temporal.data_converter, payload_codec=None)
    config["plugins"] = []
    blind = Client(**config)
    names = Traces(names=("Nebelhorn74",))
    runs = [run async for run in runs_of(blind, account)]
    with pytest.raises(CannotFinishError, match=r"cannot be read here \(prn1\)"):
        await names_in(blind, runs[0], names)
    assert await names_in(servers.temporal, runs[0], names)


async def test_a_key_that_is_not_on_record_stops_neither_what_is_named_nor_the_others(
    servers: Servers, tmp_path: Path
) -> None:
    document, lost = _of_two("75"), _of_two("76")
    account = account_of(document)
    for one in (document, lost):
        await servers.client.place_order(one)
    erasures = Erasures(servers.client, servers.pool, "cli")
    # The tables of the backup still say how they were called.
    erasure_id = await erasures.erase(ADMIN, Whom(account, "P-1"), again=ELSEWHERE)
    certificate = await erasures.finish(erasure_id, within=30)
    assert certificate is not None
    assert 999 not in {word.key for word in certificate.words}
    assert await erasures.check(certificate) == []
    # Where nothing does, it is refused, and nothing is on record of it.
    with pytest.raises(Refusal, match="signing key 999, which made the digests of the certificate, is not on record"):
        await erasures.erase(ADMIN, Whom(account_of(lost), "P-9"), again=ELSEWHERE)
    assert await _rows(servers, account_of(lost)) == []
    assert (
        "signing key 999 is not on record"
        in (await erasures.check(certificate.having(words=ELSEWHERE).signed(await _key(servers))))[0]
    )

    # Each of a folder gets its turn, whatever is wrong with those before.
    beside(servers, tmp_path)
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps({"account_id": "A-nowhere", "contact_id": "P-1"}))
    (folder / "b.json").write_text("no certificate")
    (folder / "c.json").write_text(json.dumps({"account_id": account_of(lost), "contact_id": "P-1"}))
    done = await perennial("erase", "again", str(folder), dsn=servers.stack.postgres_dsn, folder=tmp_path)
    assert done.code == 1
    assert "a: not erased again: account 'A-nowhere' is not on record" in done.out
    assert "(JSONDecodeError)" in done.out
    assert [row["contact_id"] for row in await _rows(servers, account_of(lost))] == ["P-1"]


async def _key(servers: Servers) -> Any:
    from activities.mail.keys import load_signing

    async with servers.pool.acquire() as connection:
        return (await load_signing(connection))[1]


async def test_a_person_goes_whose_customers_history_is_gone(servers: Servers) -> None:
    document = _of_two("77")
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.ask(account, "close_journey", {"reason": "over"})

    async def is_over() -> bool:
        return not await servers.client.is_running(account)

    await until(is_over, "the journey is over")
    await forget_runs(servers.temporal, account, (await look_for_runs(servers.temporal, account, None)).gone)
    erasures = Erasures(servers.client, servers.pool, "cli")
    erasure_id = await erasures.erase(ADMIN, Whom(account, "P-2"))
    assert await erasures.finish(erasure_id, within=30) is not None


async def test_who_became_part_of_a_customer_goes_first(servers: Servers) -> None:
    old, new = _of_two("78"), _of_two("79")
    new["contacts"][0]["email"] = old["contacts"][0]["email"].upper()
    a, b = account_of(old), account_of(new)
    for one in (old, new):
        await servers.client.place_order(one)
    await servers.pool.execute("update account set merged_into = $2 where account_id = $1", a, b)
    erasures = Erasures(servers.client, servers.pool, "cli")
    with pytest.raises(Refusal, match=rf"`perennial erase person {a} P-1`"):
        await erasures.erase(ADMIN, Whom(b, "P-1"))
    with pytest.raises(Refusal, match=rf"`perennial erase customer {a}`"):
        await erasures.erase(ADMIN, Whom(b))
    await erasures.erase(ADMIN, Whom(a, "P-1"))
    await erasures.erase(ADMIN, Whom(b, "P-1"))
    assert {row["contact_id"] for account in (a, b) for row in await _rows(servers, account)} == {"P-1"}
