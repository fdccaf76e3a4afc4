"""`perennial asset …`: what a customer owns, why it costs what it costs, and whether the ledger holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from activities.assets.portfolio import HeldAsset, account_assets
from activities.journey.clocks import CustomerClock, clocks_of
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from domain.assets.totals import Totals
from domain.kernel.calendar import local_day, start_of_day
from domain.kernel.ids import journey_id
from domain.kernel.money import rounding_of
from domain.kernel.shown import counted
from workers.cli.amounts import last_day, money
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import PLAIN, Json, print_json, table
from workers.cli.servers import temporal_client

if TYPE_CHECKING:
    from domain.assets.model import AssetRecord

app = typer.Typer(no_args_is_help=True)

At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        formats=["%Y-%m-%d"],
        help="The start of a day in the customer's zone; otherwise the customer's own now.",
    ),
]

FIRST_YEAR, LAST_YEAR = 1900, 2200
BATCH = 200


@app.command("list")
@waited
async def list_assets(account: str, at: At = None, as_json: Json = False) -> None:
    """What an account owns at a date or will own later, with quantity, MRR, ARR and total."""
    async with facts() as connection:
        clock = await _clock(connection, account)
        zone, instant = clock.zone, await _instant(account, at, clock)
        held = await account_assets(connection, account, instant)
    totals = _totals(held)
    if as_json:
        sums = [{**total.model_dump(mode="json"), "arr": str(total.arr)} for total in totals]
        rows = [_row(asset, zone) for asset in held]
        print_json({"account": account, "at": instant.isoformat(), "assets": rows, "totals": sums})
        return
    cells = [
        (
            asset.asset_id,
            asset.name,
            asset.quantity,
            f"{money(asset.mrr, asset.currency)} {asset.currency}",
            f"{money(asset.total, asset.currency)} {asset.currency}",
            local_day(asset.starts_at, zone),
            last_day(asset.ends_at, zone),
        )
        for asset in held
    ]
    names = ("asset", "product", ">quantity", ">MRR", ">total", "!from", "!until")
    console.print(table(names, cells, title=f"{account} on {local_day(instant, zone)}", **PLAIN))
    for total in totals:
        mrr, arr = money(total.mrr, total.currency), money(total.arr, total.currency)
        console.print(
            f"{counted(total.assets, 'asset')} in force, MRR {mrr} {total.currency}, ARR {arr} {total.currency}"
        )


def _row(asset: HeldAsset, zone: str) -> dict[str, Any]:
    rounding = rounding_of(asset.currency)
    return {
        "asset": asset.asset_id,
        "product": asset.name,
        "quantity": asset.quantity,
        "mrr": str(rounding.apply(asset.mrr or Decimal(0))),
        "total": None if asset.total is None else str(rounding.apply(asset.total)),
        "currency": asset.currency,
        "from": str(local_day(asset.starts_at, zone)),
        "until": last_day(asset.ends_at, zone),
    }


def _totals(held: Iterable[HeldAsset]) -> list[Totals]:
    found: dict[str, Totals] = {}
    for asset in held:
        if asset.quantity:
            old = found.get(asset.currency) or Totals(currency=asset.currency)
            found[asset.currency] = Totals(
                currency=asset.currency,
                assets=old.assets + 1,
                quantity=old.quantity + asset.quantity,
                mrr=old.mrr + (asset.mrr or Decimal(0)),
                unpriced=old.unpriced + (asset.mrr is None),
            )
    return [found[currency] for currency in sorted(found)]


@app.command()
@waited
async def show(asset: str, at: At = None, as_json: Json = False) -> None:
    """An asset's periods as a table and a chart, its actions and their lots."""
    from workers.cli.asset_views import show_asset

    record, zone, instant = await _looked_at(asset, at)
    if as_json:
        print_json({"at": instant.isoformat(), **record.model_dump(mode="json")})
    else:
        show_asset(record, instant, zone)


@app.command()
@waited
async def explain(asset: str, at: At = None, as_json: Json = False) -> None:
    """Which rule and which lots made the amount of the period in force at a date, line by line."""
    from domain.assets.explaining import amount_lines
    from domain.frame.ownership import POLICY
    from workers.cli.asset_views import show_amount

    record, zone, instant = await _looked_at(asset, at)
    lines = amount_lines(record, instant, POLICY)
    if lines is None:
        raise UserError(
            f"asset {asset} is not in force on {local_day(instant, zone)};"
            f" `perennial asset show {asset}` says when, `--at` takes another day"
        )
    if as_json:
        print_json(lines.model_dump(mode="json"))
    else:
        show_amount(record, lines, zone)


async def _looked_at(asset: str, day: datetime | None) -> tuple[AssetRecord, str, datetime]:
    """An asset, the zone of its customer, and the instant at which it is looked at."""
    from activities.assets.ledger import load_record

    async with facts() as connection:
        record = await load_record(connection, asset)
        if record is None:
            raise _unknown_asset(asset)
        clock = await _clock(connection, record.asset.account_id)
        return record, clock.zone, await _instant(record.asset.account_id, day, clock)


@app.command("export")
@waited
async def export(account: str) -> None:
    """Everything an account holds or held as JSON Lines on standard output, for `perennial import assets` elsewhere."""
    from activities.journey.imported_assets import export_assets

    async with facts() as connection:
        await _clock(connection, account)
        for document in await export_assets(connection, account):
            print(json.dumps(document, ensure_ascii=False))


@app.command("rebuild")
@waited
async def rebuild_assets(
    asset: Annotated[str | None, typer.Argument(help="One asset. [every asset]", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every asset, which is usual.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only compare; nothing is written.")] = False,
) -> None:
    """Derives the periods from the actions, which are the facts, and mends what is stored.

    With --check it only lists the differences, with exit code 1 if there are any. What is wrong with the actions
    themselves is named and left alone.
    """
    if asset is not None and every:
        raise UserError(f"either {asset} or --all, not both")
    from activities.assets.audit import audit
    from activities.assets.ledger import asset_ids, load_many, replace_periods
    from domain.assets.repair import examine
    from domain.frame.ownership import POLICY

    differing = mended = 0
    async with facts() as connection:
        ids = [asset] if asset else await asset_ids(connection)
        # What the rows of an asset carry beside its history: its life's ends, totals, the slice of the portfolio.
        carried = {finding.asset_id: finding.problem for finding in await audit(connection, asset, most=len(ids))}
        for batch in (ids[n : n + BATCH] for n in range(0, len(ids), BATCH)):
            records = await load_many(connection, batch)
            if asset and not records:
                raise _unknown_asset(asset)
            for record in records:
                found = examine(record, POLICY)
                own = carried.get(found.asset_id)
                problems = [*found.differences, *found.damage] or ([own] if own else [])
                for problem in problems:
                    console.print(f"[red]{found.asset_id}[/red]: {escape(problem)}", highlight=False, soft_wrap=True)
                differing += bool(problems)
                if (found.differences or (own and not found.damage)) and found.rebuilt and not check:
                    async with connection.transaction():
                        await replace_periods(connection, found.rebuilt)
                    mended += 1
    said = f"{counted(len(ids), 'asset')} rebuilt from their actions, {differing:,} differ"
    console.print(f"{said}." if check else f"{said}, {mended:,} mended.")
    if differing != mended:
        raise typer.Exit(1)


def _unknown_asset(asset: str) -> UserError:
    return UserError(f"no asset {asset}; `perennial asset list ACCOUNT` names a customer's assets")


async def _clock(connection: Connection, account: str) -> CustomerClock:
    found = await clocks_of(connection, account)
    if not found:
        raise UserError(f"no account {account}; `perennial journey list` names the accounts that have a journey")
    return found[0]


async def _instant(account: str, day: datetime | None, clock: CustomerClock) -> datetime:
    """The start of the local `day`; without one the customer's own now, or the present if the server knows no journey."""
    if day is not None:
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise UserError(f"--at {day:%Y-%m-%d} is out of reach; give a day from {FIRST_YEAR} to {LAST_YEAR}")
        return start_of_day(day.date(), clock.zone)
    if not clock.moved:
        return present()
    from gateway.clock import Clocks  # the whole client would take longer to load than the answer to come
    from gateway.entity import MayBeGone

    with MayBeGone():
        return await Clocks(await temporal_client()).told(journey_id(account))
    return present()
