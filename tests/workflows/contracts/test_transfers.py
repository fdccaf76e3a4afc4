"""Assets that change hands: a saga over two journeys that ends in one of two ways, whatever dies in between."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.assets.ledger import load_record
from domain.assets.model import AssetRecord
from tests.asset_life import Life, refused
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, place, report_usage, rows_at_rest, rows_of, until
from workers.wiring import build_worker


async def record_of(servers: Servers, asset_id: str) -> AssetRecord:
    async with servers.pool.acquire() as connection:
        record = await load_record(connection, asset_id)
    assert record is not None
    return record


async def has_ended(servers: Servers, transfer_id: str) -> str:
    """How a transfer ended, once its source knows."""

    async def is_settled() -> bool:
        return bool(
            await servers.pool.fetchval(
                "select 1 from journal where kind = 'amendment_settled' and key like '%' || $1", transfer_id
            )
        )

    await until(is_settled, f"transfer {transfer_id} ends")
    status = await servers.pool.fetchval("select status from conveyance where transfer_id = $1", transfer_id)
    return str(status)


def units(record: AssetRecord) -> list[tuple[Any, int, Decimal | None]]:
    return [(period.end, period.quantity, period.mrr) for period in record.periods]


async def test_units_and_prices_are_conserved_and_the_target_goes_on_with_them(servers: Servers) -> None:
    giver = await Life.begin(servers, auto_renew=True)
    taker = await Life.begin(servers)
    whole = units(await record_of(servers, giver.seats))
    answer = await giver.ask(
        "transfer_assets", to_account=taker.account, assets=[{"asset_id": giver.seats, "quantity": 15}]
    )
    assert answer["status"] == "under_way"
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    new = answer["assets"][0]["to_asset_id"]
    source, target = await record_of(servers, giver.seats), await record_of(servers, new)
    assert (source.lock, target.asset.account_id) == (None, taker.account)
    assert source.end == target.end == whole[-1][0]
    assert source.periods[-1].quantity + target.periods[-1].quantity == 40
    assert (source.periods[-1].mrr or 0) + (target.periods[-1].mrr or 0) == 48000
    contract = await servers.pool.fetchrow(
        "select * from contract join contract_term using (contract_id) where contract_id = $1", target.asset.contract_id
    )
    assert contract is not None
    assert (contract["account_id"], contract["order_id"], contract["auto_renew"], contract["origin"]) == (
        taker.account,
        None,
        True,
        "transferred",
    )
    await giver.check()
    await taker.check()
    assert any("譲渡完了" in subject for subject in await giver.mails())
    assert any("譲受" in subject for subject in await taker.mails())
    await taker.reach(taker.day(12) + timedelta(days=5))
    renewed = await record_of(servers, new)
    assert [period.quantity for period in renewed.periods] == [15, 15]
    await taker.check()


async def test_who_hands_over_everything_has_no_contract_left(servers: Servers) -> None:
    giver, taker = await Life.begin(servers), await Life.begin(servers)
    both = [{"asset_id": giver.seats}, {"asset_id": giver.care}]
    answer = await giver.ask("transfer_assets", to_account=taker.account, assets=both, to_contract_id=taker.contract)
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    assert (await giver.term())["status"] == "ended"
    held = await servers.pool.fetch("select asset_id from asset where contract_id = $1", taker.contract)
    assert len(held) == 4
    await giver.check()
    await taker.check()


async def test_a_customer_who_holds_assets_by_transfer_alone_is_looked_after(servers: Servers) -> None:
    """Health, an offer and the renewal work for what came without an order."""
    giver = await Life.begin(servers)
    taker = await Life.begin(servers)
    await taker.ask("cancel_assets", contract_id=taker.contract)
    for task in ("kickoff", "training", "first_value", "go_live"):
        opened = await servers.pool.fetchval(
            "select count(*) from onboarding_task where account_id = $1 and name = $2 and status = 'open'",
            taker.account,
            task,
        )
        assert opened == 0, "the onboarding ended with its contract"
    answer = await giver.ask(
        "transfer_assets",
        to_account=taker.account,
        assets=[{"asset_id": giver.seats, "to_asset_id": f"{taker.account}.x"}],
    )
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    await taker.reach(taker.day(3))
    await report_usage(servers.client, taker.account, users=39)
    await taker.reach(taker.day(3) + timedelta(days=2))
    await report_usage(servers.client, taker.account, users=39)
    await taker.reach(taker.day(6))
    kinds = await taker.kinds()
    assert "adoption_check_in" in kinds
    assert await servers.pool.fetchval("select max(score) from health_score where account_id = $1", taker.account)
    offer = await servers.pool.fetchval("select asset_id from offer where account_id = $1", taker.account)
    assert offer == f"{taker.account}.x"
    await taker.reach(taker.day(11))
    assert "renewal_notice" in await taker.kinds()
    await taker.check()


async def test_a_target_that_refuses_gives_everything_back(servers: Servers) -> None:
    """The target finds that what comes does not fit its contract: nothing is lost, and the owner hears of it."""
    giver, taker = await Life.begin(servers), await Life.begin(servers)
    await servers.pool.execute("update contract set currency = 'EUR' where contract_id = $1", taker.contract)
    before = await record_of(servers, giver.seats)
    rows = await rows_at_rest(servers.temporal, servers.pool, taker.account)
    answer = await giver.ask(
        "transfer_assets",
        to_account=taker.account,
        assets=[{"asset_id": giver.seats, "quantity": 15}],
        to_contract_id=taker.contract,
    )
    assert await has_ended(servers, answer["transfer_id"]) == "refused"
    after = await record_of(servers, giver.seats)
    assert (after.lock, after.start, after.end) == (None, before.start, before.end)
    assert {period.quantity for period in after.periods} == {40}
    assert {period.mrr for period in after.periods} == {Decimal(48000)}
    assert sum(action.amount_change or 0 for action in after.actions[1:]) == 0
    assert await rows_of(servers.pool, taker.account) == rows
    assert any("was refused and is undone: PriceBookDiffers" in title for title in await giver.titles())
    await giver.ask("amend_assets", assets=[{"asset_id": giver.seats, "add": 1}])
    await giver.check()
    notices = [mail.subject for mail in servers.mails_to("olga@seller.example")]
    assert any("was refused and is undone" in subject for subject in notices)


@pytest.mark.parametrize("ends", ["received", "refused"])
async def test_a_pause_holds_back_what_comes_by_itself_and_not_the_end_of_a_transfer(
    servers: Servers, ends: str
) -> None:
    """What was asked for comes to its end: assets are free again, and what is not owned any more is credited."""
    giver, taker = await Life.begin(servers), await Life.begin(servers)
    if ends == "refused":
        await servers.pool.execute("update contract set currency = 'EUR' where contract_id = $1", taker.contract)
    await giver.ask("pause", reason="the shop is rebuilt")
    answer = await giver.ask(
        "transfer_assets",
        to_account=taker.account,
        assets=[{"asset_id": giver.seats, "quantity": 15}],
        to_contract_id=taker.contract,
    )
    assert await has_ended(servers, answer["transfer_id"]) == ends
    record = await record_of(servers, giver.seats)
    assert (record.lock, record.periods[-1].quantity) == (None, 25 if ends == "received" else 40)
    await giver.ask("amend_assets", assets=[{"asset_id": giver.seats, "add": 1}])
    done = await giver.kinds()
    await servers.client.fast_forward(giver.account, timedelta(days=100))
    assert await giver.kinds() == done
    await giver.check()


async def test_who_cannot_take_anything_is_known_at_once(servers: Servers) -> None:
    giver, gone = await Life.begin(servers), await Life.begin(servers)
    await gone.ask("close_journey", reason="bankrupt")
    before = await rows_at_rest(servers.temporal, servers.pool, giver.account)
    asked: dict[str, Any] = {"to_account": gone.account, "assets": [{"asset_id": giver.seats}]}
    await refused(giver, "transfer_assets", asked, "JourneyClosed", "is closed")
    taker = await Life.begin(servers)
    asked = {"to_account": taker.account, "assets": [{"asset_id": giver.seats, "quantity": 41}]}
    await refused(giver, "transfer_assets", asked, "TransferExceedsMinimumQuantity", "at most 40")
    asked = {"to_account": taker.account, "assets": [{"asset_id": giver.seats, "to_asset_id": taker.seats}]}
    await refused(giver, "transfer_assets", asked, "AssetExists", "choose another")
    asked = {"to_account": taker.account, "assets": [{"asset_id": giver.seats}], "to_contract_id": giver.contract}
    await refused(giver, "transfer_assets", asked, "ContractDiffers", taker.contract)
    assert await rows_of(servers.pool, giver.account) == before


@pytest.mark.engine
async def test_an_asset_on_its_way_is_locked_and_its_contract_waits(servers: Servers) -> None:
    """While the other journey does not answer, nobody changes the asset; the renewal is not lost over it."""
    giver = await Life.begin(servers, auto_renew=True)
    queue = f"slow-{giver.account}"
    settings = servers.settings.model_copy(update={"task_queue": queue})
    document = order()
    taker = account_of(document)
    async with build_worker(servers.temporal, servers.pool, settings):
        await place(servers.temporal, document, task_queue=queue)
    asked = {"to_account": taker, "assets": [{"asset_id": giver.seats, "quantity": 15}], "request_id": "t-1"}
    answer = await servers.client.ask(giver.account, "transfer_assets", asked)
    locked = await record_of(servers, giver.seats)
    assert (locked.lock, locked.periods[-1].quantity) == ("transfer_assets:t-1", 25)
    await refused(giver, "close_journey", {"reason": "sold"}, "NotAllowed", "on their way")
    more = {"assets": [{"asset_id": giver.seats, "add": 1}]}
    await refused(giver, "amend_assets", more, "AssetLocked", "try again")
    await refused(
        giver, "answer_renewal", {"contract_id": giver.contract, "decision": "accept"}, "AssetLocked", "try again"
    )
    assert await servers.client.ask(giver.account, "transfer_assets", asked) == answer
    async with build_worker(servers.temporal, servers.pool, settings):
        assert await has_ended(servers, answer["transfer_id"]) == "received"
    await giver.ask("amend_assets", **more)
    assert (await record_of(servers, giver.seats)).periods[-1].quantity == 26
    await servers.temporal.get_workflow_handle(f"journey-{taker}").terminate()


@pytest.mark.engine
async def test_a_journey_that_is_gone_gives_everything_back(servers: Servers) -> None:
    """It ended between the two halves, without a word."""
    giver = await Life.begin(servers)
    queue = f"gone-{giver.account}"
    settings = servers.settings.model_copy(update={"task_queue": queue})
    document = order()
    taker = account_of(document)
    async with build_worker(servers.temporal, servers.pool, settings):
        await place(servers.temporal, document, task_queue=queue)
    answer = await giver.ask("transfer_assets", to_account=taker, assets=[{"asset_id": giver.seats}])
    await servers.pool.execute("update account set closed_at = now() where account_id = $1", taker)
    await servers.temporal.get_workflow_handle(f"journey-{taker}").terminate()
    assert await has_ended(servers, answer["transfer_id"]) == "refused"
    assert (await record_of(servers, giver.seats)).periods[-1].quantity == 40
    assert (await giver.term())["status"] == "active"
    assert any("has no open journey" in title for title in await giver.titles())


async def test_part_of_a_contract_whose_renewal_is_quoted_changes_hands_and_the_rest_is_quoted_anew(
    servers: Servers,
) -> None:
    giver, taker = await Life.begin(servers), await Life.begin(servers)
    await giver.reach(giver.day(12) - timedelta(days=50))
    answer = await giver.ask(
        "transfer_assets", to_account=taker.account, assets=[{"asset_id": giver.seats, "quantity": 15}]
    )
    assert await has_ended(servers, answer["transfer_id"]) == "received"
    totals = await servers.pool.fetch(
        "select total from renewal_quote where contract_id = $1 order by quoted_at, quote_id", giver.contract
    )
    assert [row["total"] for row in totals] == [25 * 1200 * 12 + 60000]
    assert sum("quoted anew" in title for title in await giver.titles()) == 1
    await giver.check()


async def test_what_is_on_its_way_is_not_renewed_meanwhile(servers: Servers) -> None:
    giver = await Life.begin(servers)
    await giver.reach(giver.day(12) - timedelta(days=50))
    await servers.pool.execute("update asset set lock = 'transfer_assets:T-1' where asset_id = $1", giver.seats)
    request = {"contract_id": giver.contract, "decision": "accept"}
    await refused(giver, "answer_renewal", request, "AssetLocked", "try again when that is done")
    await servers.pool.execute("update asset set lock = null where asset_id = $1", giver.seats)
    assert (await giver.ask("answer_renewal", **request))["status"] == "renewed"
