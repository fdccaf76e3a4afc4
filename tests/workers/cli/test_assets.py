"""`perennial asset …`: what is shown of an asset with a life behind it, and how damage is found and mended."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activities.assets.audit import audit
from activities.assets.ledger import load_record, save_changes
from domain.assets.ledger import Ledger
from domain.assets.model import AssetRecord
from domain.assets.operations import AnyRequest, apply
from domain.assets.requests import ChangeFields, ChangeQuantity, Renew, Rollback
from domain.assets.writes import AssetChange
from domain.frame.ownership import POLICY
from tests.domain.assets.builders import make
from tests.installed_base import fill
from tests.own_database import OwnDatabase, own_database
from tests.workers.cli.running import Ended, perennial
from workers.embedded.stack import EmbeddedStack

ASSET = "IB-0.1"
LIFE: list[AnyRequest] = [
    make(
        ChangeQuantity,
        "up",
        asset_id=ASSET,
        effective="2025-04-01",
        delta=6,
        unit_price=Decimal("9.50"),
        reference="Q-7",
    ),
    make(ChangeQuantity, "down", asset_id=ASSET, effective="2025-07-01", delta=-10, recorded_at="2025-06-20"),
    make(ChangeQuantity, "more", asset_id=ASSET, effective="2025-10-01", delta=3, recorded_at="2025-09-02"),
    make(Rollback, "undo", asset_id=ASSET, recorded_at="2025-09-03"),
    make(Renew, "renew", asset_id=ASSET, months=12, uplift_percent=Decimal(5), recorded_at="2025-11-15"),
    make(
        ChangeFields,
        "tier",
        asset_id=ASSET,
        effective="2026-04-01",
        attributes={"tier": "gold"},
        unit_price=Decimal(20),
    ),
]

SHOWN = """\
IB-0.1  Product 1  (account IB-0, product IB-1, termed, from 2021-01-01 to 2026-12-31)
On 2025-07-14: 20 units, MRR 220.00 EUR, ARR 2,640.00 EUR, total so far 14,427.00 EUR
Periods
   from        until       quantity  MRR EUR    amount      total  attributes
   2021-01-01  2021-12-31        20   220.00  2,640.00   2,640.00
   2022-01-01  2022-12-31        21   231.00  2,772.00   5,412.00
   2023-01-01  2023-12-31        22   242.00  2,904.00   8,316.00
   2024-01-01  2024-12-31        23   253.00  3,036.00  11,352.00
   2025-01-01  2025-03-31        24   264.00    792.00  12,144.00
   2025-04-01  2025-06-30        30   321.00    963.00  13,107.00
>  2025-07-01  2025-12-31        20   220.00  1,320.00  14,427.00
   2026-01-01  2026-03-31        20   231.00    693.00  15,120.00
   2026-04-01  2026-12-31        20   400.00  3,600.00  18,720.00  tier gold

MRR in EUR
400.00 ┤                                                    ████████
       ┤                                          ▆▆▆       ████████
       ┤▂▂▂▂▂▂▂▂▂▂▃▃▃▃▃▃▃▃▃▃▅▅▅▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▆▆▇▇███▂▂▂▂▂▃▃████████
       ┤████████████████████████████████████████████████████████████
       ┤████████████████████████████████████████████████████████████
       ┤████████████████████████████████████████████████████████████
     0 ┼────────────────────────────────────────────────────────────
        2021-01-01                                        2026-12-31

Actions
 #  recorded    category      effective   quantity      MRR      amount
 1  2021-01-01  Initial Sale  2021-01-01       +20  +220.00  +13,200.00
 2  2021-01-01  Upsells       2022-01-01        +1   +11.00     +528.00
 3  2021-01-01  Upsells       2023-01-01        +1   +11.00     +396.00
 4  2021-01-01  Upsells       2024-01-01        +1   +11.00     +264.00
 5  2021-01-01  Upsells       2025-01-01        +1   +11.00     +132.00
 6              Upsells       2025-04-01        +6   +57.00     +513.00
 7  2025-06-20  Downsells     2025-07-01       -10  -101.00     -606.00
 8  2025-09-02  Upsells       2025-10-01        +3   +28.50      +85.50  undone by 9
 9  2025-09-03  Upsells       2025-10-01        -3   -28.50      -85.50  Rollback, undoes 8
10  2025-11-15  Renewals      2026-01-01       +20  +231.00   +2,772.00
11              Upsells       2026-04-01        +0  +169.00   +1,521.00  FieldAmendment
Lots
lot  action  from        until       units  unit price      amount
  1       1  2021-01-01  2025-12-31    +20       11.00  +13,200.00
  2       2  2022-01-01  2025-12-31     +1       11.00     +528.00
  2       7  2025-07-01  2025-12-31     -1       11.00      -66.00
  3       3  2023-01-01  2025-12-31     +1       11.00     +396.00
  3       7  2025-07-01  2025-12-31     -1       11.00      -66.00
  4       4  2024-01-01  2025-12-31     +1       11.00     +264.00
  4       7  2025-07-01  2025-12-31     -1       11.00      -66.00
  5       5  2025-01-01  2025-12-31     +1       11.00     +132.00
  5       7  2025-07-01  2025-12-31     -1       11.00      -66.00
  6       6  2025-04-01  2025-12-31     +6        9.50     +513.00
  6       7  2025-07-01  2025-12-31     -6        9.50     -342.00
  7       8  2025-10-01  2025-12-31     +3        9.50      +85.50
  7       9  2025-10-01  2025-12-31     -3        9.50      -85.50
  8      10  2026-01-01  2026-12-31    +20       11.55   +2,772.00
  8      11  2026-04-01  2026-12-31    -20       11.55   -2,079.00
  9      11  2026-04-01  2026-12-31    +20       20.00   +3,600.00
"""
EXPLAINED = """\
IB-0.1  Product 1, 2025-04-01 to 2025-06-30: 30 units, MRR 321.00 EUR
Rule: MRR x months of the term, a part of one by its days, here 3 months
                                                               amount
lot 1: 20 units x 11.00 x 3 months                             660.00
    20 sold by action 1, Initial Sale, from 2021-01-01
lot 2: 1 units x 11.00 x 3 months                               33.00
    1 sold by action 2, Upsells, from 2022-01-01
lot 3: 1 units x 11.00 x 3 months                               33.00
    1 sold by action 3, Upsells, from 2023-01-01
lot 4: 1 units x 11.00 x 3 months                               33.00
    1 sold by action 4, Upsells, from 2024-01-01
lot 5: 1 units x 11.00 x 3 months                               33.00
    1 sold by action 5, Upsells, from 2025-01-01
lot 6 (Q-7): 6 units x 9.50 x 3 months                         171.00
    6 sold by action 6, Upsells, from 2025-04-01
amount of the period                                       963.00 EUR
with all periods before it                              13,107.00 EUR
"""


@pytest.fixture(scope="module")
async def own(stack: EmbeddedStack) -> AsyncIterator[OwnDatabase]:
    """Ten accounts, and one of their assets with a life: more, fewer, more and undone, renewed, changed."""
    async with own_database(stack, "assets_cli") as database:
        async with database.pool.acquire() as connection:
            await fill(connection, 100)
            await connection.execute("update account set time_zone = 'UTC'")
            for step in LIFE:
                before = await load_record(connection, ASSET)
                assert before is not None
                after = apply(Ledger(policy=POLICY, assets={before.asset.asset_id: before}), step)
                async with connection.transaction():
                    await save_changes(connection, [AssetChange(before, after.record(ASSET), Decimal(11))])
        yield database


async def asked(own: OwnDatabase, folder: Path, *arguments: str) -> Ended:
    return await perennial("asset", *arguments, dsn=own.dsn, folder=folder)


def trimmed(text: str) -> str:
    """The text without the blanks that fill a table's lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


async def test_an_asset_is_shown(own: OwnDatabase, tmp_path: Path) -> None:
    ended = await asked(own, tmp_path, "show", ASSET, "--at", "2025-07-14")
    assert ended.code == 0, ended.err
    assert trimmed(ended.out) == SHOWN


async def test_the_json_of_an_asset_is_its_record(own: OwnDatabase, tmp_path: Path) -> None:
    ended = await asked(own, tmp_path, "show", ASSET, "--at", "2025-07-14", "--json")
    async with own.pool.acquire() as connection:
        record = await load_record(connection, ASSET)
    shown = json.loads(ended.out)
    assert shown.pop("at") == "2025-07-14T00:00:00+00:00"
    assert AssetRecord.model_validate(shown) == record


async def test_an_amount_is_explained_line_by_line(own: OwnDatabase, tmp_path: Path) -> None:
    ended = await asked(own, tmp_path, "explain", ASSET, "--at", "2025-05-01")
    assert ended.code == 0, ended.err
    assert trimmed(ended.out) == EXPLAINED


async def test_what_was_taken_and_replaced_is_explained(own: OwnDatabase, tmp_path: Path) -> None:
    ended = await asked(own, tmp_path, "explain", ASSET, "--at", "2026-05-01", "--json")
    said = json.loads(ended.out)
    assert [(line["lot"], line["units"], Decimal(line["amount"])) for line in said["lots"]] == [(9, 20, Decimal(3600))]
    assert said["explanation"]["exact_months"] == "9"
    assert Decimal(said["amount"]) == 3600
    ended = await asked(own, tmp_path, "explain", ASSET, "--at", "2020-05-01")
    assert ended.code == 1
    assert "is not in force on 2020-05-01" in ended.err


async def test_an_account_is_listed(own: OwnDatabase, tmp_path: Path) -> None:
    ended = await asked(own, tmp_path, "list", "IB-0", "--at", "2025-07-14", "--json")
    listed = json.loads(ended.out)
    # Assets 0, 4 and 8 ended with 2024.
    assert [row["asset"][-1] for row in listed["assets"]] == list("1235679")
    assert listed["assets"][0] == {
        "asset": ASSET,
        "product": "Product 1",
        "quantity": 20,
        "mrr": "220.00",
        "total": "14427.00",
        "currency": "EUR",
        "from": "2021-01-01",
        "until": "2026-12-31",
    }
    [total] = listed["totals"]
    assert total["assets"] == 7
    assert Decimal(total["mrr"]) == sum(Decimal(row["mrr"]) for row in listed["assets"])
    assert Decimal(total["arr"]) == 12 * Decimal(total["mrr"])


async def test_the_portfolio_is_reported(own: OwnDatabase, tmp_path: Path) -> None:
    ended = await perennial("report", "portfolio", "--at", "2025-06-01", "--json", dsn=own.dsn, folder=tmp_path)
    said = json.loads(ended.out)
    async with own.pool.acquire() as connection:
        expected = await connection.fetchrow(
            "select count(*) as assets, sum(mrr) as mrr from asset_state_period join asset using (asset_id)"
            " where currency = 'EUR' and starts_at <= '2025-06-01' and ends_at > '2025-06-01'"
        )
    assert expected is not None
    euro = next(total for total in said["totals"] if total["currency"] == "EUR")
    assert (euro["assets"], Decimal(euro["mrr"])) == (expected["assets"], expected["mrr"])
    assert sum(line["assets"] for line in said["lines"]) == sum(total["assets"] for total in said["totals"])
    table = await perennial("report", "portfolio", "--at", "2025-06-01", dsn=own.dsn, folder=tmp_path)
    assert f"{expected['mrr']:,.2f}" in table.out


DAMAGE = {
    "a quantity": "update asset_state_period set quantity = 99 where asset_id = $1 and starts_at = '2022-01-01'",
    "an amount": "update asset_state_period set amount = amount + 1 where asset_id = $1 and starts_at = '2022-01-01'",
    "a gap": "delete from asset_state_period where asset_id = $1 and starts_at = '2023-01-01'",
    "no period": "delete from asset_state_period where asset_id = $1",
    "an early end": "update asset_state_period set ends_at = '2024-07-01' where asset_id = $1 and starts_at = '2024-01-01'",
    "the lifecycle": "update asset set lifecycle_end = '2030-01-01' where asset_id = $1",
    "a total": "update asset_state_period set total = 0 where asset_id = $1 and starts_at = '2022-01-01'",
    "a slice": "update asset_state_period set slice_id = slice_id + 1 where asset_id = $1 and starts_at = '2022-01-01'",
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_every_damage_is_found(own: OwnDatabase, damage: str) -> None:
    async with own.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(DAMAGE[damage], "IB-1.3")
        assert {finding.asset_id for finding in await audit(connection)} == {"IB-1.3"}
        await transaction.rollback()


@pytest.mark.parametrize("damage", ["a gap", "a slice"])
async def test_damage_is_found_and_mended(own: OwnDatabase, tmp_path: Path, damage: str) -> None:
    asset = "IB-1.3"
    async with own.pool.acquire() as connection:
        sound = await load_record(connection, asset)
        assert sound is not None
        await connection.execute(DAMAGE[damage], asset)
        assert {finding.asset_id for finding in await audit(connection)} == {asset}
    doctor = await perennial("doctor", dsn=own.dsn, folder=tmp_path, width=200)
    assert f"{asset}: " in doctor.out
    assert f"perennial asset rebuild --check {asset}" in doctor.out
    checked = await asked(own, tmp_path, "rebuild", "--check", "--all")
    assert checked.code == 1
    assert f"{asset}: " in checked.out
    assert "100 assets rebuilt from their actions, 1 differ." in checked.out
    mended = await asked(own, tmp_path, "rebuild", asset)
    assert mended.code == 0, mended.out + mended.err
    assert "1 differ, 1 mended." in mended.out
    async with own.pool.acquire() as connection:
        record = await load_record(connection, asset)
        assert record == sound.having(version=sound.version + 1)
        assert await audit(connection) == []
    assert (await asked(own, tmp_path, "rebuild", "--check", asset)).code == 0


async def test_damaged_facts_are_named_and_left_alone(own: OwnDatabase, tmp_path: Path) -> None:
    async with own.pool.acquire() as connection:
        transaction = "update asset_action_source set quantity = {} where asset_id = 'IB-2.1' and sequence = 2"
        await connection.execute(transaction.format(-30))
        damaged = await load_record(connection, "IB-2.1")
    ended = await asked(own, tmp_path, "rebuild", "IB-2.1")
    assert ended.code == 1
    assert "lot 2 holds -30 units" in ended.out
    async with own.pool.acquire() as connection:
        assert await load_record(connection, "IB-2.1") == damaged
        assert [finding.asset_id for finding in await audit(connection, "IB-2.1")]
        await connection.execute(transaction.format(1))
        assert await audit(connection, "IB-2.1") == []


async def test_a_rebuild_says_of_what(own: OwnDatabase, tmp_path: Path) -> None:
    everything = await asked(own, tmp_path, "rebuild", "--check")
    assert everything.out == (await asked(own, tmp_path, "rebuild", "--check", "--all")).out
    assert "100 assets rebuilt from their actions" in everything.out
    assert "either IB-2.1 or --all, not both" in (await asked(own, tmp_path, "rebuild", "IB-2.1", "--all")).err
    unknown = await asked(own, tmp_path, "rebuild", "nobody")
    assert unknown.code == 1
    assert "no asset nobody" in unknown.err


async def test_retention_is_reported_with_the_accounts_behind_it(own: OwnDatabase, tmp_path: Path) -> None:
    asked = ("report", "retention", "--from", "2024-06-01", "--to", "2025-06-01")
    said = json.loads((await perennial(*asked, "--json", dsn=own.dsn, folder=tmp_path)).out)
    async with own.pool.acquire() as connection:
        rows = await connection.fetch(
            "select account_id, coalesce(sum(mrr) filter (where starts_at <= '2024-06-01' and ends_at > '2024-06-01'), 0) as before,"
            " coalesce(sum(mrr) filter (where starts_at <= '2025-06-01' and ends_at > '2025-06-01'), 0) as after"
            " from asset_state_period join asset using (asset_id) where currency = 'EUR' and quantity > 0 group by 1"
        )
    euro = next(one for one in said["currencies"] if one["currency"] == "EUR")
    there = [(row["before"], row["after"]) for row in rows if row["before"]]
    starting = sum(before for before, _ in there)
    assert Decimal(euro["starting"]) == starting
    kept = sum(min(before, after) for before, after in there)
    assert Decimal(euro["gross_percent"]) == pytest.approx(kept / starting * 100)
    assert Decimal(euro["net_percent"]) == pytest.approx(sum(after for _, after in there) / starting * 100)
    assert {one["account_id"]: (Decimal(one["start"]), Decimal(one["end"])) for one in euro["accounts"]} == {
        row["account_id"]: (row["before"], row["after"]) for row in rows if row["before"] or row["after"]
    }
    assert sum(one["customers"][0] for one in euro["cohorts"]) <= len(rows)
    shown = await perennial(*asked, "--accounts", dsn=own.dsn, folder=tmp_path)
    assert f"{starting:,.2f}" in shown.out
    assert "Cohorts in EUR" in shown.out
    refused = await perennial(
        "report", "retention", "--from", "2025-06-01", "--to", "2025-06-01", dsn=own.dsn, folder=tmp_path
    )
    assert "does not lie before" in refused.err


async def test_a_health_score_is_explained_by_what_each_input_brings(own: OwnDatabase, tmp_path: Path) -> None:
    parts: list[dict[str, Any]] = [
        {"name": "adoption", "value": "80.0", "weight": 40, "says": "32 of 40 seats in use"},
        {"name": "trend", "value": "50.0", "weight": 20, "says": "use +5 % in 28 days"},
        {"name": "sentiment", "value": None, "weight": 20, "says": "no survey answered"},
    ]
    earlier = [{**parts[0], "value": "95.0"}, *parts[1:]]
    async with own.pool.acquire() as connection:
        await connection.executemany(
            "insert into health_score (account_id, at, score, band, parts) values ('IB-5', $1, $2, $3, $4)",
            [
                (datetime(2025, 5, 1, 9, tzinfo=UTC), 80, "healthy", earlier),
                (datetime(2025, 6, 1, 9, tzinfo=UTC), 70, "healthy", parts),
            ],
        )
    asked = ("health", "explain", "IB-5", "--at", "2025-06-01")
    said = json.loads((await perennial(*asked, "--json", dsn=own.dsn, folder=tmp_path)).out)
    assert (said["score"], said["band"], said["before"]["score"]) == (70, "healthy", 80)
    assert [one["brings"] for one in said["inputs"]] == ["53.3", "16.7", None]
    shown = (await perennial(*asked, dsn=own.dsn, folder=tmp_path, width=160)).out
    assert "-15.0" in shown
    assert "no survey answered" in shown
    assert "its weight falls to the other inputs" in shown
    nobody = await perennial("health", "explain", "nobody", dsn=own.dsn, folder=tmp_path)
    assert (nobody.code, "no health score" in nobody.err) == (1, True)
