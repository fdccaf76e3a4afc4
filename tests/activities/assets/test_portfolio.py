"""The portfolio's figures against the domain's own, and that its plans stay as cheap as promised."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from activities.assets.ledger import load_record, load_records, save_changes
from activities.assets.portfolio import ACCOUNT_ASSETS, PORTFOLIO, account_assets, portfolio_at
from activities.kernel.pool import Connection, Pool
from domain.assets.invariants import violations
from domain.assets.ledger import Ledger, total_amount
from domain.assets.operations import apply
from domain.assets.requests import CancelAsset, ChangeQuantity, Renew
from domain.assets.writes import AssetChange
from domain.frame.ownership import POLICY
from tests.domain.assets.builders import make
from tests.domain.assets.totals import state_at, totals_at
from tests.installed_base import AT, PER_ACCOUNT, explained, fill
from tests.own_database import own_database
from workers.embedded.stack import EmbeddedStack

ASSETS = 5_000
INSTANTS = [
    datetime(year, month, 1, tzinfo=UTC) for year, month in ((2019, 6), (2020, 1), (2024, 7), (2025, 6), (2028, 1))
]


@pytest.fixture(scope="module")
async def base(stack: EmbeddedStack) -> AsyncIterator[Pool]:
    """Five thousand assets in a database of their own."""
    async with own_database(stack, "portfolio") as own:
        async with own.pool.acquire() as connection:
            await fill(connection, ASSETS)
            await connection.execute("vacuum analyze")
        yield own.pool


async def test_the_installed_base_keeps_the_invariants(base: Pool) -> None:
    async with base.acquire() as connection:
        for account in (0, 123, 499):
            records = await load_records(connection, f"IB-{account}")
            assert len(records) == PER_ACCOUNT
            assert [violations(record, POLICY) for record in records.values()] == [[]] * PER_ACCOUNT


@pytest.mark.parametrize("at", INSTANTS)
async def test_an_account_at_an_instant_is_what_its_records_say(base: Pool, at: datetime) -> None:
    async with base.acquire() as connection:
        records = await load_records(connection, "IB-42")
        held = await account_assets(connection, "IB-42", at)
    assert [asset.asset_id for asset in held] == sorted(
        record.asset.asset_id for record in records.values() if record.end is None or record.end > at
    )
    for asset in held:
        record = records[asset.asset_id]
        period = state_at(record, at)
        assert (asset.quantity, asset.mrr) == ((period.quantity, period.mrr) if period else (0, Decimal(0)))
        assert asset.amount == (period.amount if period else None)
        begun = [p for p in record.periods if p.start <= at]
        assert asset.total == total_amount(begun or record.periods[:1]), "a term that has not begun has its figure"


@pytest.mark.parametrize("at", INSTANTS)
async def test_the_portfolio_is_the_sum_of_all_records(base: Pool, at: datetime) -> None:
    async with base.acquire() as connection:
        lines = await portfolio_at(connection, at)
        expected: dict[tuple[str, str, str], tuple[int, int, Decimal]] = {}
        segments = {row["account_id"]: row["segment"] for row in await connection.fetch("select * from account")}
        for account, segment in segments.items():
            for record in (await load_records(connection, account)).values():
                for total in totals_at([record], at).values():
                    key = (str(record.asset.product), segment, total.currency)
                    old = expected.get(key, (0, 0, Decimal(0)))
                    expected[key] = (old[0] + 1, old[1] + total.quantity, old[2] + total.mrr)
    assert {(x.product_code, x.segment, x.currency): (x.assets, x.quantity, x.mrr) for x in lines} == expected
    assert all(line.arr == 12 * line.mrr for line in lines)


async def test_an_account_reads_at_most_two_rows_for_each_that_it_returns(base: Pool) -> None:
    async with base.acquire() as connection:
        for account in (0, 7, 321):
            for at in (AT, AT + timedelta(days=500)):
                plan = await explained(connection, ACCOUNT_ASSETS, f"IB-{account}", at)
                assert plan.sequential == []
                assert plan.returned > 0
                assert plan.read <= 2 * plan.returned


async def test_the_portfolio_reads_the_periods_once(base: Pool) -> None:
    async with base.acquire() as connection:
        plan = await explained(connection, PORTFOLIO, AT)
        slices = await connection.fetchval("select count(*) from portfolio_slice")
        products = await connection.fetchval("select count(*) from product")
        assert plan.read <= 5 * ASSETS + slices + products


async def test_what_is_stored_follows_every_change(base: Pool) -> None:
    """Slices and running totals after changes that keep, cut, lengthen and drop periods."""
    steps = [
        make(ChangeQuantity, "up", asset_id="IB-9.3", effective="2025-03-01", delta=4),
        make(Renew, "renew", asset_id="IB-9.3", months=12),
        make(ChangeQuantity, "down", asset_id="IB-9.3", effective="2026-09-01", delta=-9),
        make(CancelAsset, "stop", asset_id="IB-9.3", effective="2026-02-01"),
    ]
    async with base.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        for step in steps:
            before = await load_record(connection, "IB-9.3")
            assert before is not None
            after = apply(Ledger(policy=POLICY, assets={before.asset.asset_id: before}), step).record(
                before.asset.asset_id
            )
            await save_changes(connection, [AssetChange(before, after, Decimal(10))])
            stored = await load_record(connection, "IB-9.3")
            assert stored == after
            await check_derived(connection, "IB-9.3")
        await transaction.rollback()


async def check_derived(connection: Connection, asset_id: str) -> None:
    """The periods' slice is that of the asset, and their totals are the amounts so far."""
    rows = await connection.fetch(
        "select p.amount, p.total, (s.product_code, s.segment, s.currency) = (a.product_code, c.segment, a.currency) as fits"
        " from asset_state_period p join asset a using (asset_id) join account c using (account_id)"
        " join portfolio_slice s using (slice_id) where p.asset_id = $1 order by p.starts_at",
        asset_id,
    )
    total = Decimal(0)
    for row in rows:
        total += row["amount"]
        assert row["fits"]
        assert row["total"] == total
