"""Files of usage, taken over through the real door into the real facts."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.frame.situations import load_situation
from activities.kernel.clock import present
from domain.success.health import seat_use
from tests import builders
from tests.conftest import Servers
from tests.workers.cli.running import beside
from workers.feeds.errors import FeedError
from workers.feeds.usage import import_usage


async def days_before_today(servers: Servers, account: str, number: int) -> list[date]:
    """The last so many days before the customer's today, oldest first."""
    today = (await servers.client.now(account)).date()
    return [today - timedelta(days=n) for n in range(number, 0, -1)]


@pytest.fixture
async def customer(servers: Servers) -> str:
    """An account with 40 seats of SEATS for some days."""
    order = builders.order()
    account = str(order["account"]["account_id"])
    await servers.client.place_order(order)
    await servers.client.fast_forward(account, timedelta(days=33))
    return account


@pytest.fixture
def cli(servers: Servers, tmp_path: Path) -> Any:
    """Runs the command line in a folder where a stack is up: exit code, standard output, standard error."""
    beside(servers, tmp_path)

    async def run(*arguments: object) -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from workers.cli import main; main()",
            *map(str, arguments),
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "200"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    return run


async def test_usage_from_csv(servers: Servers, customer: str, tmp_path: Path, cli: Any) -> None:
    file = tmp_path / "usage.csv"
    first, second = await days_before_today(servers, customer, 2)
    rows = [
        f"{customer},SEATS,{first},12",
        f"{customer},SEATS,{second},7",
        f"{customer},KETTLE,{second},7",
        "nobody-knows,SEATS,2026-01-02,7",
        f"{customer},SEATS,2027-02-30,7",
        f"{customer},SEATS,{second},-7",
        f"{customer},SEATS,{second},7.5",
        f"{customer},SEATS,{second},9",
        f"{customer},SEATS",
        f"{customer},SEATS,2199-01-01,9",
    ]
    file.write_text("account_id,product,day,active_users\n" + "\n".join(rows) + "\n")

    code, out, err = await cli("import", "usage", file, "--json")

    assert code == 0, err
    report = json.loads(out)
    assert (report["lines"], report["imported"], report["rejected"]) == (10, 4, 6)
    assert report["reasons"] == {"malformed": 4, "refused": 2}
    assert report["kept_for"] == ["nobody-knows"]
    assert report["journeys_told"] == 1, "9 of 40 seats is low"
    kept = await servers.pool.fetch(
        "select day, active_users from usage_day where account_id = $1 order by 1", customer
    )
    assert [tuple(row) for row in kept] == [(first, 12), (second, 9)]
    with (tmp_path / report["rejects_file"]).open() as text:
        rejected = {int(row["line"]): row["explanation"] for row in csv.DictReader(text)}
    assert rejected.keys() == {4, 6, 7, 8, 10, 11}
    assert "'KETTLE' was never sold" in rejected[4]
    assert "active_users" in rejected[7]
    assert "2199-01-01 is still to come; import it again once it has begun" in rejected[11]


async def test_usage_says_more_where_a_product_knows_it(servers: Servers, customer: str, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    first, second = await days_before_today(servers, customer, 2)
    rows = [
        f"{customer},SEATS,{first},12,,20,15,340",
        f"{customer},SEATS,{first},7,Boards,,,41",
        f"{customer},SEATS,{first},7,Boards,,,44",
        f"{customer},SEATS,{first},3,Reports,9,9,",
        f"{customer},SEATS,{second},12,,20,21,",
        f"{customer},SEATS,{second},11,,,,",
    ]
    columns = "account_id,product,day,active_users,feature,invited_users,activated_users,key_actions"
    file.write_text(f"{columns}\n" + "\n".join(rows) + "\n")

    report = await import_usage(servers.client, file, rejects=tmp_path / "rejects.csv")

    assert (report.imported, report.reasons) == (4, {"malformed": 2})
    of_products = "select day, active_users, invited_users, activated_users, key_actions from usage_day"
    kept = await servers.pool.fetch(f"{of_products} where account_id = $1 order by day", customer)
    assert [tuple(row) for row in kept] == [(first, 12, 20, 15, 340), (second, 11, None, None, None)]
    of_features = "select feature, active_users, key_actions from usage_feature_day where account_id = $1"
    assert [tuple(row) for row in await servers.pool.fetch(of_features, customer)] == [("Boards", 7, 44)]


async def test_usage_of_an_account_without_an_order_counts_once_the_order_comes(
    servers: Servers, tmp_path: Path
) -> None:
    order = builders.order()
    account = str(order["account"]["account_id"])
    file = tmp_path / "usage.csv"
    rows = [f"{account},SEATS,{present().date() - timedelta(days=n)},36" for n in range(1, 4)]
    file.write_text("account_id,product,day,active_users\n" + "\n".join(rows) + "\n")

    report = await import_usage(servers.client, file, rejects=tmp_path / "rejects.csv")
    assert (report.imported, report.kept_for) == (3, (account,))
    await servers.client.place_order(order)
    await servers.client.fast_forward(account, timedelta(days=33))

    async with servers.pool.acquire() as connection:
        situation = await load_situation(connection, account, await servers.client.now(account))
    [use] = seat_use(situation.customer, situation.playbook, situation.as_of)
    assert (use.active, use.seats) == (36, 40)


async def test_usage_from_json_lines(servers: Servers, customer: str, tmp_path: Path) -> None:
    file = tmp_path / "usage.jsonl"
    [yesterday] = await days_before_today(servers, customer, 1)
    good = {"account_id": customer, "product": "SEATS", "day": yesterday.isoformat(), "active_users": 12}
    file.write_text("\n".join(json.dumps(row) for row in (good, {**good, "active_users": "12"}, [1])) + "\n{\n")

    report = await import_usage(servers.client, file, rejects=tmp_path / "rejects.jsonl")

    assert (report.lines, report.imported, report.reasons) == (4, 1, {"malformed": 3})


async def test_usage_without_its_columns_is_said_so(servers: Servers, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    file.write_text("account,product,day,active_users\nA,SEATS,2027-01-01,12\n")

    with pytest.raises(FeedError, match="has no column 'account_id'; it needs account_id, product, day, active_users"):
        await import_usage(servers.client, file, rejects=tmp_path / "rejects.csv")
