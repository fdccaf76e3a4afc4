"""What is asked of a customer's assets: done once, explained, planned anew, or refused by name with nothing written."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from tests.asset_life import Life, refused
from tests.conftest import Servers
from tests.e2e.lives import rows_at_rest, rows_of


@pytest.mark.engine
async def test_an_upsell_in_mid_term_counts_from_now_to_the_end(servers: Servers) -> None:
    life = await Life.begin(servers)
    request = {"assets": [{"asset_id": life.seats, "add": 10, "unit_price": "1100"}], "request_id": "more-1"}
    answer = await life.ask("amend_assets", **request, reason="a new office")
    (asset,) = answer["assets"]
    assert (asset["quantity"], asset["change"], asset["version"]) == (50, "more", 2)
    assert Decimal(asset["mrr_change"]) == 11000
    assert [(units, mrr) for _, units, mrr in await life.periods(life.seats)] == [(40, 48000), (50, 59000)]
    assert await life.ask("amend_assets", **request) == answer
    assert len(await life.periods(life.seats)) == 2
    line = next(row for row in await servers.journal(life.account) if row["kind"] == "amend_assets")
    assert "40 to 50 units" in line["title"]
    assert "+11000 JPY a month" in line["title"]
    assert line["detail"]["reason"] == "a new office"
    assert [(lot["quantity"], lot["unit_price"]) for lot in line["detail"]["lots"]] == [(10, "1100")]
    assert any("ご契約内容変更" in subject for subject in await life.mails())
    await life.check()


async def test_a_request_id_stands_for_one_request(servers: Servers) -> None:
    """The same again is answered as before, whoever sends it; anything else under the id is refused, not swallowed."""
    life = await Life.begin(servers)
    seats = {"asset_id": life.seats, "add": 10}
    first = await life.ask("amend_assets", assets=[seats], request_id="r-1", by="shop")
    assert await life.ask("amend_assets", assets=[{**seats, "unit_price": None}], request_id="r-1", by="retry") == first
    before = await rows_at_rest(servers.temporal, servers.pool, life.account)
    other = {"assets": [{**seats, "add": 20}], "request_id": "r-1"}
    await refused(life, "amend_assets", other, "RequestConflict", "an id of its own")
    assert await rows_of(servers.pool, life.account) == before
    cancel = {"assets": [{"asset_id": life.seats}], "effective": "period_end", "request_id": "r-1"}
    await refused(life, "cancel_assets", cancel, "RequestConflict", "(amend assets)")
    assert await rows_of(servers.pool, life.account) == before
    assert [units for _, units, _ in await life.periods(life.seats)] == [40, 50]


async def test_a_scheduled_reduction_is_told_on_its_day_and_amounts_count_local_months(servers: Servers) -> None:
    life = await Life.begin(servers)
    day = life.month(6)
    answer = await life.ask("amend_assets", assets=[{"asset_id": life.seats, "remove": 10}], effective=day)
    assert Decimal(answer["assets"][0]["amount_change"]) == -10 * 1200 * 6
    assert await life.periods(life.seats) == [(life.start.isoformat(), 40, 48000), (day, 30, 36000)]
    assert "amendment" in await life.servers.client.briefing(life.account)
    await life.reach(life.day(6))
    assert any(title.startswith("Takes effect: Workspace: 40 to 30 units") for title in await life.titles())
    assert "amendment" not in await life.servers.client.briefing(life.account)
    await life.check()


async def test_a_rollback_removes_a_scheduled_change_and_comes_too_late_on_its_day(servers: Servers) -> None:
    life = await Life.begin(servers)
    day = life.month(6)
    for _ in range(2):
        await life.ask("amend_assets", assets=[{"asset_id": life.seats, "remove": 10}], effective=day)
        answer = await life.ask("rollback", asset_id=life.seats)
        assert [asset["change"] for asset in answer["assets"]] == ["rolled_back"]
        assert await life.periods(life.seats) == [(life.start.isoformat(), 40, 48000)]
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "remove": 10}], effective=day)
    await life.reach(life.day(6))
    before = await rows_at_rest(servers.temporal, servers.pool, life.account)
    await refused(life, "rollback", {"asset_id": life.seats}, "RollbackTooLate", "took effect on")
    assert await rows_of(servers.pool, life.account) == before
    assert sum(title.startswith("Takes effect") for title in await life.titles()) == 1
    await life.check()


async def test_what_the_ledger_refuses_leaves_nothing(servers: Servers) -> None:
    life = await Life.begin(servers)
    before = await rows_at_rest(servers.temporal, servers.pool, life.account)
    seats = {"asset_id": life.seats}
    yesterday = (life.start - timedelta(days=1)).isoformat()
    cases: list[tuple[str, dict[str, Any], str, str]] = [
        ("amend_assets", {"assets": [{**seats, "remove": 41}]}, "OverReduction", "holds 40 units"),
        ("amend_assets", {"assets": [{**seats, "add": 1}], "effective": yesterday}, "BackdateNotAllowed", "backdating is off"),
        ("amend_assets", {"assets": [{**seats, "add": 1, "currency": "EUR"}]}, "PriceBookDiffers", "was sold in JPY"),
        ("amend_assets", {"assets": [{**seats, "add": 1, "expected_version": 7}]}, "AssetChanged", "version 1, not 7"),
        ("amend_assets", {"assets": [{**seats, "add": 1}, {**seats, "remove": 1}]}, "TransactionNotValid", "two lines"),
        ("amend_assets", {"assets": [{"asset_id": "X", "add": 1}]}, "UnknownAsset", "not this customer's"),
        ("amend_assets", {"assets": [{**seats, "add": 1, "price": "3"}]}, "InvalidRequest", "exactly one of"),
        ("amend_assets", {"assets": [{**seats, "add": "1"}]}, "InvalidRequest", "assets[0].add"),
        ("amend_assets", {"assets": [{**seats, "add": 1}], "effective": "soon"}, "InvalidRequest", "neither a day"),
        ("amend_assets", {}, "InvalidRequest", "nothing is to be changed"),
        ("amend_assets", {"assets": [{**seats, "end": life.month(6)}, {"asset_id": life.care, "remove": 2}]}, "OverReduction", ""),
        ("amend_assets", {"add_ons": [{"contract_id": life.contract, "product": "PR0", "quantity": 1, "unit_price": "1"}]},
         "UnknownProduct", "PR0"),
        ("renew_assets", {"contract_id": "K-0"}, "ContractDiffers", life.contract),
        ("renew_assets", {"contract_id": life.contract, "months": 3, "end": life.month(15)}, "InvalidRequest", "not both"),
        ("cancel_assets", {"assets": [seats], "effective": yesterday}, "BackdateNotAllowed", ""),
        ("cancel_assets", {"assets": [seats], "effective": life.month(13)}, "AssetExpired", ""),
        ("rollback", seats, "RollbackNotEligible", "Initial Sale"),
        ("swap_assets", {"assets": [{**seats, "to_product": "TERMINAL", "unit_price": "1"}]}, "InvalidRequest", "device"),
        ("transfer_assets", {"to_account": "A-0", "assets": [seats]}, "UnknownAccount", "place its first order"),
        ("transfer_assets", {"to_account": life.account, "assets": [seats]}, "NotAllowed", "already"),
        ("receive_assets", {"transfer_id": "T-1"}, "NotAllowed", "none of this account"),
    ]  # fmt: skip
    for update, request, type, says in cases:
        await refused(life, update, request, type, says)
    assert await rows_of(servers.pool, life.account) == before
    assert len(await life.periods(life.seats)) == 1
    await life.check()


async def test_backdating_is_a_switch_of_the_playbook(servers: Servers) -> None:
    life = await Life.begin(servers, days=90)
    await servers.pool.execute(
        'insert into playbook (segment, version, body) select segment, 900, body || \'{"version": 900,'
        ' "amendment": {"allow_backdating": true}}\' from playbook p where (segment, version) ='
        " (select segment, playbook_version from account where account_id = $1) on conflict do nothing",
        life.account,
    )
    await servers.pool.execute("update account set playbook_version = 900 where account_id = $1", life.account)
    day = life.month(1)
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 10}], effective=day)
    assert (await life.periods(life.seats))[1] == (day, 50, 60000)
    early = (life.start - timedelta(days=9)).isoformat()
    request = {"assets": [{"asset_id": life.seats, "add": 1}], "effective": early}
    await refused(life, "amend_assets", request, "BeforeAssetStart")
    await life.check()


@pytest.mark.engine
async def test_of_two_who_expect_the_same_version_one_wins_and_the_other_is_told(servers: Servers) -> None:
    life = await Life.begin(servers)

    async def add(units: int, **more: Any) -> dict[str, Any] | Refusal:
        try:
            return await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": units, **more}])
        except Refusal as told:
            return told

    told = await asyncio.gather(*(add(units, expected_version=1) for units in (3, 5)))
    (loser,) = [each for each in told if isinstance(each, Refusal)]
    assert (loser.type, "at version 2, not 1" in str(loser)) == ("AssetChanged", True)
    await asyncio.gather(add(7), add(11))
    total = (await life.periods(life.seats))[-1][1]
    assert total in (40 + 3 + 7 + 11, 40 + 5 + 7 + 11)
    await life.check()


@pytest.mark.engine
async def test_nobody_overwrites_a_change_made_outside_the_journey(servers: Servers) -> None:
    """The version in the table is the guard: the transaction that read an older one is tried again on the new state."""
    life = await Life.begin(servers)
    connection = await servers.pool.acquire()
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("update asset set version = version + 1 where asset_id = $1", life.seats)
    asking = asyncio.create_task(life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 10}]))
    await asyncio.sleep(0.5)
    assert not asking.done()
    await transaction.commit()
    await servers.pool.release(connection)
    assert (await asking)["assets"][0]["version"] == 3
    assert (await life.periods(life.seats))[-1][1] == 50


async def test_a_cotermed_add_on_is_renewed_with_its_contract(servers: Servers) -> None:
    life = await Life.begin(servers, auto_renew=True)
    line: dict[str, Any] = {
        "contract_id": life.contract,
        "product": "PRO",
        "quantity": 5,
        "unit_price": "2000",
        "asset_id": f"{life.seats}.pro",
    }
    answer = await life.ask("amend_assets", add_ons=[line])
    (asset,) = answer["assets"]
    assert (asset["asset_id"], asset["change"], asset["until"]) == (
        line["asset_id"],
        "added",
        (life.day(12) - timedelta(days=1)).isoformat(),
    )
    await life.reach(life.day(12) + timedelta(days=5))
    assert (await life.term())["number"] == 2
    assert [(units, mrr) for _, units, mrr in await life.periods(line["asset_id"])] == [(5, 10000), (5, 10000)]
    await life.check()


async def test_prices_fields_and_dates_change_together_or_not_at_all(servers: Servers) -> None:
    life = await Life.begin(servers)
    day = life.month(3)
    changes = [{"asset_id": life.seats, "price": "1000"}, {"asset_id": life.care, "fields": {"level": "gold"}}]
    await life.ask("amend_assets", assets=changes, effective=day)
    assert await life.periods(life.seats) == [(life.start.isoformat(), 40, 48000), (day, 40, 40000)]
    attributes = await servers.pool.fetchval(
        "select attributes from asset_state_period where asset_id = $1 order by starts_at desc limit 1", life.care
    )
    assert attributes == {"level": "gold"}
    price = "select unit_price from asset where asset_id = $1"
    assert await servers.pool.fetchval(price, life.seats) == 1200  # until the day from which the other holds
    answer = await life.ask("rollback", asset_id=life.care)
    assert sorted(asset["asset_id"] for asset in answer["assets"]) == [life.seats, life.care]
    assert await life.periods(life.seats) == [(life.start.isoformat(), 40, 48000)]
    assert await servers.pool.fetchval(price, life.seats) == 1200
    await life.check()


async def test_an_upgrade_inherits_the_term_and_is_renewed_in_place_of_the_old_product(servers: Servers) -> None:
    life = await Life.begin(servers, auto_renew=True)
    line = {"asset_id": life.seats, "to_product": "PRO", "unit_price": "1800", "quantity": 15, "kind": "upgrade"}
    answer = await life.ask("swap_assets", assets=[line])
    pro = next(asset["asset_id"] for asset in answer["assets"] if asset["change"] == "swapped_in")
    assert (await life.periods(life.seats))[-1][1:] == (25, 30000)
    assert (await life.periods(pro))[-1][1:] == (15, 27000)
    await refused(life, "rollback", {"asset_id": pro}, "RollbackNotEligible", "Upgrades")
    await life.reach(life.day(12) + timedelta(days=5))
    assert [units for _, units, _ in await life.periods(pro)] == [15, 15]
    assert [units for _, units, _ in await life.periods(life.seats)][-1] == 25
    await life.check()


async def test_a_cancellation_at_the_end_of_the_period_lets_the_contract_run_out(servers: Servers) -> None:
    life = await Life.begin(servers, auto_renew=True)
    await life.ask("cancel_assets", assets=[{"asset_id": life.seats}], effective="period_end", reason="moves on")
    assert (await life.term())["status"] == "active"
    answer = await life.ask("cancel_assets", assets=[{"asset_id": life.care}], effective="period_end")
    assert [contract["status"] for contract in answer["contracts"]] == ["declined"]
    await refused(
        life, "amend_assets", {"assets": [{"asset_id": life.seats, "add": 1}]}, "AssetCancelled", "by a rollback"
    )
    assert (await life.periods(life.seats))[-1][1] == 40
    await life.reach(life.day(12) + timedelta(days=5))
    assert (await life.term()) | {"status": "ended", "number": 1} == await life.term()
    kinds = await life.kinds()
    assert "renewal_notice" not in kinds
    assert kinds.count("renewal_term_end") == 1
    assert any("終了" in subject for subject in await life.mails())
    await life.check()


async def test_one_asset_cancelled_leaves_the_rest_of_the_contract_to_be_renewed(servers: Servers) -> None:
    life = await Life.begin(servers, auto_renew=True)
    await life.ask("cancel_assets", assets=[{"asset_id": life.care}], effective=life.month(9))
    await life.reach(life.day(12) + timedelta(days=5))
    assert (await life.term())["number"] == 2
    assert [day for day, _, _ in await life.periods(life.seats)] == [life.month(0), life.month(12)]
    assert [day for day, _, _ in await life.periods(life.care)] == [life.month(0)]
    await life.check()


async def test_a_contract_ends_with_its_last_asset(servers: Servers) -> None:
    life = await Life.begin(servers)
    await life.ask("cancel_assets", contract_id=life.contract)
    term = await life.term()
    assert term["status"] == "ended"
    assert term["until"] == await life.today() + timedelta(days=1)
    now = len(await life.kinds())
    await life.reach(life.day(14))
    later = (await life.kinds())[now:]
    assert not {kind for kind in later if kind.startswith(("renewal", "adoption", "billing"))}
    await life.check()
