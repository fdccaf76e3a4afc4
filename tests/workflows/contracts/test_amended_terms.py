"""What becomes of a contract's term, its renewal and its offers when the assets in it are changed."""

from __future__ import annotations

from datetime import time, timedelta

from domain.kernel.calendar import local_instant
from tests.agendas import differences
from tests.asset_life import Life, refused
from tests.conftest import Servers


async def test_an_early_renewal_begins_the_next_term_and_drops_what_was_pending(servers: Servers) -> None:
    life = await Life.begin(servers, days=300)
    assert "renewal_notice" in await life.kinds()
    day = await life.today() + timedelta(days=10)
    answer = await life.ask("renew_assets", contract_id=life.contract, start=day.isoformat(), uplift_percent="5")
    (contract,) = answer["contracts"]
    assert (contract["term"], contract["start"], contract["status"]) == (2, day.isoformat(), "active")
    before = await life.kinds()
    await life.reach(day + timedelta(days=50))
    later = (await life.kinds())[len(before) :]
    assert later.count("renewal_term_end") == 1
    assert "renewal_notice" not in later
    assert await life.periods(life.seats) == [(life.month(0), 40, 48000), (day.isoformat(), 40, 50400)]
    assert (await life.term())["number"] == 2
    await life.reach(day + timedelta(days=350))
    assert (await life.kinds()).count("renewal_notice") > before.count("renewal_notice")
    await life.check()


async def test_a_renewal_that_was_quoted_is_quoted_anew_once_the_assets_change(servers: Servers) -> None:
    """Nobody renews at another amount than the one that they were told last."""
    life = await Life.begin(servers, days=345, auto_renew=True)

    async def quoted() -> list[int]:
        rows = await servers.pool.fetch("select total from renewal_quote where contract_id = $1", life.contract)
        return [int(row["total"]) for row in rows]

    year = 40 * 1200 * 12 + 60000
    assert await quoted() == [year]
    request = {"assets": [{"asset_id": life.seats, "remove": 10}], "request_id": "fewer"}
    answer = await life.ask("amend_assets", **request)
    assert await quoted() == [year - 10 * 1200 * 12]
    assert await life.ask("amend_assets", **request) == answer
    told = [row for row in await servers.journal(life.account) if row["kind"] == "renewal_quoted"]
    assert [f"costs {year - 10 * 1200 * 12} JPY now, not {year}" in row["title"] for row in told] == [True]
    waiting = await servers.pool.fetchval(
        "select count(*) from outbox where account_id = $1 and body->>'template' = 'renewal_notice'", life.account
    )
    await life.mails()
    assert waiting >= 2
    await life.ask("amend_assets", assets=[{"asset_id": life.care, "fields": {"level": "gold"}}])
    assert (await life.kinds()).count("renewal_quoted") == 1
    await life.reach(life.day(12) + timedelta(days=2))
    renewal = await servers.pool.fetchval(
        "select sum(p.amount) from asset_state_period p join asset a using (asset_id)"
        " where a.contract_id = $1 and p.starts_at >= $2",
        life.contract,
        local_instant(life.day(12), "Asia/Tokyo", time()),
    )
    assert [int(renewal)] == await quoted()
    await life.check()


async def test_an_offer_ends_with_the_cancellation_of_its_asset(servers: Servers) -> None:
    life = await Life.begin(servers)
    await servers.pool.execute(
        "insert into offer (offer_id, account_id, asset_id, add_quantity, unit_price, currency, mrr_change, status, offered_at, expires_at)"
        " values ($1, $2, $3, 5, 1200, 'JPY', 6000, 'open', now(), now() + interval '90 days')",
        f"offer-{life.seats}",
        life.account,
        life.seats,
    )
    await life.ask("cancel_assets", assets=[{"asset_id": life.seats}], effective=life.month(8))
    status = await servers.pool.fetchval("select status from offer where asset_id = $1", life.seats)
    assert status == "expired"


async def test_a_renewal_taken_back_leaves_the_old_term_to_be_talked_about(servers: Servers) -> None:
    life = await Life.begin(servers, days=250)
    await life.ask("renew_assets", contract_id=life.contract, months=24)
    assert (await life.term())["number"] == 2
    await refused(life, "renew_assets", {"contract_id": life.contract}, "FutureRenewalExists", "roll that back")
    await life.ask("rollback", asset_id=life.seats)
    term = await life.term()
    assert (term["number"], term["until"], term["status"]) == (1, life.day(12), "active")
    await life.reach(life.day(12) + timedelta(days=5))
    assert "renewal_notice" in await life.kinds()
    assert (await life.term())["status"] == "grace"
    await life.check()


async def test_a_late_renewal_ends_the_grace_with_a_gap(servers: Servers) -> None:
    life = await Life.begin(servers)
    await life.reach(life.day(12) + timedelta(days=5))
    assert (await life.term())["status"] == "grace"
    later = (await life.today() + timedelta(days=5)).isoformat()
    await life.ask("renew_assets", contract_id=life.contract, start=later, months=6)
    term = await life.term()
    assert (term["status"], term["number"], term["start_on"].isoformat()) == ("active", 2, later)
    assert [units for _, units, _ in await life.periods(life.seats)] == [40, 0, 40]
    await life.reach(life.day(14))
    assert (await life.term())["status"] == "active"
    await life.check()


async def test_the_renewal_moves_with_the_end_of_the_assets(servers: Servers) -> None:
    life = await Life.begin(servers, auto_renew=True)
    last = (life.day(15) - timedelta(days=1)).isoformat()
    both = [{"asset_id": life.seats, "end": last}, {"asset_id": life.care, "end": last}]
    answer = await life.ask("amend_assets", assets=both)
    assert [contract["until"] for contract in answer["contracts"]] == [last]
    await life.reach(life.day(13))
    assert (await life.term())["number"] == 1
    assert "renewal_term_end" not in await life.kinds()
    await life.reach(life.day(15) + timedelta(days=3))
    term = await life.term()
    assert (term["number"], term["start_on"], term["until"]) == (
        2,
        life.day(15),
        life.day(27),
    )
    await life.check()


async def test_an_asset_brought_to_another_ones_end_is_cotermed(servers: Servers) -> None:
    life = await Life.begin(servers, auto_renew=True)
    short = (life.day(9) - timedelta(days=1)).isoformat()
    await life.ask("amend_assets", assets=[{"asset_id": life.care, "end": short}])
    assert (await life.term())["until"] == life.day(12)
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "end_with": {"asset_id": life.care}}])
    assert (await life.term())["until"] == life.day(9)
    await life.ask("amend_assets", assets=[{"asset_id": life.care, "end": life.month(11)}])
    await life.reach(life.day(9) + timedelta(days=3))
    term = await life.term()
    assert (term["number"], term["start_on"]) == (2, life.day(9))
    assert (await life.periods(life.seats))[-1] == (life.month(9), 40, 48000)
    ends = await servers.pool.fetch("select distinct lifecycle_end from asset where contract_id = $1", life.contract)
    assert len(ends) == 1
    await life.check()


async def test_a_cancellation_and_a_decline_are_taken_back_and_the_contract_renews(servers: Servers) -> None:
    life = await Life.begin(servers)
    await life.ask("cancel_assets", contract_id=life.contract, effective="period_end", request_id="stop")
    await refused(
        life, "amend_assets", {"assets": [{"asset_id": life.seats, "add": 1}]}, "AssetCancelled", "by a rollback"
    )
    answer = await life.ask("rollback", asset_id=life.care)
    assert {asset["asset_id"] for asset in answer["assets"]} == {life.seats, life.care}
    assert answer["undone"].endswith("stop")
    assert [contract["status"] for contract in answer["contracts"]] == ["active"]
    assert await differences(servers, life.account) == []
    await life.ask("answer_renewal", contract_id=life.contract, decision="decline", reason="price")
    assert (await life.ask("answer_renewal", contract_id=life.contract, decision="accept"))["status"] == "renewed"
    assert await differences(servers, life.account) == []
    await life.reach(life.day(13))
    assert [units for _, units, _ in await life.periods(life.seats)] == [40, 40]
    await life.check()


async def test_who_takes_a_cancellation_back_goes_on_with_the_contract_that_was_renewed_meanwhile(
    servers: Servers,
) -> None:
    life = await Life.begin(servers, days=300)
    care = {"assets": [{"asset_id": life.care}]}
    await life.ask("cancel_assets", **care, effective="period_end")
    await life.ask("renew_assets", contract_id=life.contract, uplift_percent="5")
    answer = await life.ask("rollback", asset_id=life.care)
    assert [one["change"] for one in answer["assets"]] == ["rolled_back", "renewed"]
    assert await differences(servers, life.account) == []
    await life.reach(life.day(12) + timedelta(days=5))
    assert await life.periods(life.care) == [(life.month(0), 1, 5000), (life.month(12), 1, 5250)]
    invoiced = await servers.pool.fetch(
        "select l.amount from invoice_line l join invoice i using (invoice_id) where l.asset_id = $1 order by i.issued_at",
        life.care,
    )
    assert [int(row["amount"]) for row in invoiced] == [60000, 63000]
    await life.check()
