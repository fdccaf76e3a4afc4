"""What is foretold of a customer comes: every notice, end of a term, invoice and check-in, on its day, and no other."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled, until
from tests.workers.cli.running import Ended, perennial

pytestmark = pytest.mark.engine  # a command of its own looks at the journey

FORETOLD = ("renewal_notice", "renewal_term_end", "billing_invoice", "adoption_check_in", "relationship_anniversary")


async def plan(servers: Servers, folder: Path, *arguments: str) -> Ended:
    stack = servers.stack
    address = {"TEMPORAL_ADDRESS": stack.temporal_address}
    return await perennial("journey", "plan", *arguments, dsn=stack.postgres_dsn, folder=folder, environment=address)


async def planned(servers: Servers, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    ended = await plan(servers, folder, *arguments, "--json")
    assert ended.code == 0, ended.err
    steps: list[dict[str, Any]] = json.loads(ended.out)["steps"]
    return steps


@pytest.mark.parametrize("billing", ["monthly", "quarterly", "whole_term"])
async def test_what_is_foretold_comes_on_its_day(servers: Servers, tmp_path: Path, billing: str) -> None:
    document = order()
    document["contracts"][0].update({"auto_renew": True, "billing": billing, "renewal_months": 6})
    account = account_of(document)
    await servers.client.place_order(document)
    said = await planned(servers, tmp_path, account, "--months", "20")
    until = await servers.client.now(account) + timedelta(days=570)
    await servers.client.fast_forward_to(account, until)
    await settled(servers.pool, account)
    foretold = [one["step"] for one in said if one["kind"] in FORETOLD and one["at"] <= until.isoformat()]
    rows = await servers.pool.fetch(
        "select e.key from effect e join journal j using (key) where e.account_id = $1 and e.as_of <= $2"
        " and exists (select 1 from unnest($3::text[]) kind where j.kind in (kind, 'skipped'))"
        " order by e.as_of, e.key",
        account,
        until,
        list(FORETOLD),
    )
    done = [row["key"].removeprefix(f"journey:{account}/") for row in rows]
    rhythms = ("renewal:", "billing:", "adoption/check-in", "relationship/anniversary")
    assert sorted(foretold) == sorted(key for key in done if key.startswith(rhythms))
    assert sum(key.endswith("term-end") for key in foretold) == 2


async def test_a_plan_is_read_by_people(servers: Servers, tmp_path: Path) -> None:
    """The next of each kind, a whole life with all of those in it, words and local days."""
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)

    async def is_a_part() -> bool:
        """Of two plans made one after the other: what is done between them, as the welcome, is in the first alone."""
        carried, life = (
            await planned(servers, tmp_path, account, "--next"),
            await planned(servers, tmp_path, account, "--life"),
        )
        return {one["step"] for one in carried} < {one["step"] for one in life}

    await until(is_a_part, "the next of each kind are steps of the whole life")
    shown = await plan(servers, tmp_path, account, "--life")
    assert f"contract {document['contracts'][0]['contract_id']}" in " ".join(shown.out.split())
    nobody = await plan(servers, tmp_path, "nobody-at-all")
    assert (nobody.code, "is not on record" in nobody.err) == (1, True)
    both = await plan(servers, tmp_path, account, "--life", "--months", "3")
    assert (both.code, "not both" in both.err) == (1, True)
