"""Files of orders and usage, taken over through the real door into the real facts."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.kernel.clock import present
from domain.journey.taking_over import OrderTaken
from domain.orders.order import Order, OrderAnswer, ProductKind
from gateway.client import PerennialClient
from tests import builders
from tests.conftest import Servers
from tests.workers.cli.running import beside
from tests.workers.feeds.builders import feed, line, sample_of_its_own, sample_rows
from workers.feeds.documents import order_document
from workers.feeds.errors import FeedError
from workers.feeds.importing import ImportReport, import_orders
from workers.feeds.mapping import mapping_for
from workers.feeds.mapping_file import BUNDLED
from workers.feeds.scanning import Scanner

SOME = ("12422", "12823", "16998", "14045", "12791", "13090")
"""Customers of the sample with several orders, or with lines that cannot be imported."""


async def import_all(servers: Servers, file: Path, **options: Any) -> ImportReport:
    return await import_orders(
        servers.client, servers.pool, file, **{"rejects": file.with_suffix(".rejects"), **options}
    )


async def facts(servers: Servers, suffix: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that is on record of accounts with this suffix, without the instants of the recording."""
    columns = {
        "account": "account_id, name, country, time_zone, language, since",
        "contact": "account_id, contact_id, email",
        "sales_order": "order_id, account_id, digest, activated_at, activated_on, imported, sells_goods",
        "order_line": "order_id, line_id, product_code, quantity, unit_price",
        "journal": "key, kind, title",
        "effect": "key",
        "onboarding_task": "account_id, stage, name, status, due_on",
        "outbox": "*",
    }
    found = {}
    for table, selected in columns.items():
        whose = "order_id" if table == "order_line" else "account_id"
        rows = await servers.pool.fetch(
            f"select {selected} from {table} where {whose} like '%' || $1::text order by 1, 2, 3"
            if "," in selected
            else f"select {selected} from {table} where {whose} like '%' || $1::text order by 1",
            suffix,
        )
        found[table] = [tuple(row) for row in rows]
    return found


class _CrashError(Exception):
    """The process dies."""


class DyingClient(PerennialClient):
    """A client whose process dies in the middle: after some orders are answered, with others under way."""

    orders_left = 5

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._answered = asyncio.Event()

    async def import_order(self, order: dict[str, Any]) -> OrderAnswer:
        await self._pass(1)
        answer = await super().import_order(order)
        self._answered.set()
        return answer

    async def import_orders(self, orders: Sequence[Order]) -> list[OrderTaken]:
        await self._pass(len(orders))
        taken = await super().import_orders(orders)
        self._answered.set()
        return taken

    async def _pass(self, orders: int) -> None:
        self.orders_left -= orders
        if self.orders_left < 0:
            await self._answered.wait()
            raise _CrashError


async def test_past_orders_keep_their_dates_and_send_nothing(servers: Servers, tmp_path: Path) -> None:
    file, suffix = sample_of_its_own(tmp_path)

    report = await import_all(servers, file)

    assert report.imported + report.rejected == report.lines == len(sample_rows())
    assert sum(report.reasons.values()) == report.rejected
    assert (report.orders_before, report.orders_refused) == (0, 0)
    found = await facts(servers, suffix)
    assert len(found["sales_order"]) == report.orders
    assert len(found["order_line"]) == report.imported
    assert len(found["account"]) == report.customers
    assert found["outbox"] == []
    assert [mail for mail in servers.stack.mailbox.list() if suffix in mail.to] == []
    first = await servers.pool.fetchrow("select * from account where account_id = $1", f"12422{suffix}")
    assert first is not None
    assert first["since"] == datetime(2011, 1, 19, 9, 13, tzinfo=UTC)
    past = [row for row in await servers.journal(f"12422{suffix}") if row["kind"] == "past"]
    assert past
    assert all(row["at"] < datetime(2012, 1, 1, tzinfo=UTC) for row in past)
    assert [row["at"] for row in await servers.journal(f"12422{suffix}") if row["kind"] == "order_accepted"] == [
        datetime(2011, 1, 19, 9, 13, tzinfo=UTC),
        datetime(2011, 6, 24, 12, 20, tzinfo=UTC),
    ]
    for account_id, *_ in found["account"]:
        description = await servers.handle(account_id).describe()
        assert description.status is WorkflowExecutionStatus.RUNNING


async def test_importing_again_changes_nothing(servers: Servers, tmp_path: Path) -> None:
    file, suffix = sample_of_its_own(tmp_path, SOME)
    first = await import_all(servers, file)
    before = await facts(servers, suffix)
    rules, header = mapping_for(file)
    scan = Scanner(rules, header).scan(file)
    document = order_document(scan.orders[f"541520{suffix}"], rules, scan.names)
    answers = [await servers.client.import_order(document) for _ in range(2)]

    again = await import_all(servers, file)

    assert answers[0] == answers[1]
    assert (again.orders_before, again.orders, again.imported) == (first.orders, first.orders, first.imported)
    assert await facts(servers, suffix) == before


async def test_feed_that_has_grown_brings_only_what_is_new(servers: Servers, tmp_path: Path) -> None:
    code = f"G{tmp_path.name}"[:60]
    file = feed(tmp_path, line(order="grown-1", code=code, name="OLD NAME", customer="grown"))
    await import_all(servers, file)
    with file.open("a") as more:
        for n in (2, 3):
            more.write(line(order=f"grown-{n}", code=code, name="NEW NAME", customer="grown") + "\n")

    report = await import_all(servers, file)

    assert (report.orders, report.orders_before, report.orders_refused) == (3, 1, 0)


async def test_crash_in_the_middle_and_a_second_run_end_with_the_same_facts(servers: Servers, tmp_path: Path) -> None:
    whole, whole_suffix = sample_of_its_own(tmp_path, SOME)
    broken, suffix = sample_of_its_own(tmp_path, SOME)
    await import_all(servers, whole)
    dying = DyingClient(servers.temporal, servers.pool)
    with pytest.raises(_CrashError):
        await import_orders(dying, servers.pool, broken, rejects=tmp_path / "r.csv")
    assert not (tmp_path / "r.csv").exists()

    report = await import_all(servers, broken)

    assert report.imported + report.rejected == report.lines
    assert 0 < report.orders_before < report.orders
    got, expected = await facts(servers, suffix), await facts(servers, whole_suffix)
    assert {table: len(rows) for table, rows in got.items()} == {table: len(rows) for table, rows in expected.items()}
    assert [row[:1] for row in got["account"]] == [
        (row[0].replace(whole_suffix, suffix),) for row in expected["account"]
    ]
    assert [row[1:] for row in got["order_line"]] == [row[1:] for row in expected["order_line"]]


async def test_refused_order_takes_all_its_lines_along(servers: Servers, tmp_path: Path) -> None:
    code = "REFUSED-DEVICE"
    await servers.client.place_order(
        builders.order(
            products=[{"code": code, "name": "Kettle", "kind": ProductKind.DEVICE.value}],
            contracts=[],
            lines=[{"line_id": "1", "product": code, "quantity": 1, "unit_price": "5"}],
        )
    )
    file = feed(
        tmp_path,
        line(order="refused-1", customer="refused"),
        line(order="refused-1", code=code, customer="refused"),
        line(order="refused-2", customer="refused"),
        line(order="bad id", customer="refused"),
    )

    report = await import_all(servers, file)

    assert (report.imported, report.reasons, report.orders, report.orders_refused) == (1, {"refused": 3}, 1, 2)
    with file.with_suffix(".rejects").open() as text:
        rows = {int(row["line"]): row["explanation"] for row in csv.DictReader(text)}
    assert rows.keys() == {2, 3, 5}
    assert "the catalogue has 'REFUSED-DEVICE' as device, not as goods" in rows[2]
    assert "order_id: 'bad id' is no identifier" in rows[5]
    assert await servers.pool.fetchval("select count(*) from sales_order where order_id like 'refused-%'") == 1


async def test_documents_of_orders_line_by_line(servers: Servers, tmp_path: Path) -> None:
    then = present().replace(microsecond=0) - timedelta(days=500)
    first = builders.order()
    account_id = first["account"]["account_id"]
    later = builders.goods_order(first, then + timedelta(days=30))
    earlier = {**builders.goods_order(first, then)}
    file = tmp_path / "orders.jsonl"
    lines = [json.dumps(later), "{broken", "", json.dumps(earlier), json.dumps(earlier), json.dumps({"order_id": "x"})]
    file.write_text("\n".join(lines) + "\n")

    report = await import_all(servers, file)

    assert (report.lines, report.imported, report.reasons) == (6, 2, {"malformed": 3, "duplicate_line": 1})
    accepted = [row for row in await servers.journal(account_id) if row["kind"] == "order_accepted"]
    assert [row["at"] for row in accepted] == [then, then + timedelta(days=30)], "in the order of their dates"
    rejects = file.with_suffix(".rejects")
    records = [json.loads(text) for text in rejects.read_text().splitlines()]
    assert [(record["line"], record["reason"]) for record in records] == [
        (2, "malformed"),
        (3, "malformed"),
        (5, "duplicate_line"),
        (6, "malformed"),
    ]
    assert records[2]["record"] == earlier
    again = await import_all(servers, rejects, rejects=tmp_path / "second")
    assert (again.imported, again.orders_before, again.reasons) == (1, 1, {"malformed": 3})


async def test_file_that_cannot_be_used_imports_nothing(servers: Servers, tmp_path: Path) -> None:
    file = feed(tmp_path, line(order="never-1", customer="never"), '2,"never closed')
    unwritable = tmp_path / "is a folder"
    unwritable.mkdir()

    with pytest.raises(FeedError, match="no proper CSV at line 3"):
        await import_all(servers, file)
    with pytest.raises(FeedError, match=r"the rejects file .* cannot be written"):
        await import_all(servers, feed(tmp_path, line(order="never-1", customer="never")), rejects=unwritable)

    assert await servers.pool.fetchval("select count(*) from sales_order where order_id = 'never-1'") == 0


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


async def test_orders_by_the_command_line(servers: Servers, tmp_path: Path, cli: Any) -> None:
    file, suffix = sample_of_its_own(tmp_path)

    code, out, err = await cli("import", "orders", file, "--limit", 100, "--json")

    assert code == 0, err
    report = json.loads(out)
    assert report["imported"] + report["rejected"] == report["lines"]
    assert report["lines"] + report["beyond_limit"] == len(sample_rows())
    assert len((await facts(servers, suffix))["order_line"]) == report["imported"]
    with (tmp_path / report["rejects_file"]).open() as text:
        assert len(list(csv.reader(text))) - 1 == report["rejected"]

    code, out, _ = await cli("import", "orders", file, "--mapping", BUNDLED / "online_retail.yaml")
    assert code == 0
    assert f"{len(sample_rows())} │ in the file" in out
    assert "rejected: no_customer" in out


async def test_command_line_says_what_is_wrong_with_a_file(tmp_path: Path, cli: Any) -> None:
    junk = tmp_path / "junk.csv"
    junk.write_bytes(bytes(range(256)) * 10)

    code, out, err = await cli("import", "orders", junk, "--json")

    assert (code, out) == (1, "")
    assert "binary data" in err or "is no text" in err
    assert "Traceback" not in err
