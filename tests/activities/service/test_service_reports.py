"""Reports on service, read from the real facts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from activities.kernel.pool import Connection
from activities.service.service_reports import own_revenue, sla_report
from domain.service.sla_report import Attainment, SlaReport
from tests import builders
from tests.conftest import Servers

START = datetime(2001, 3, 5, 9, tzinfo=UTC)
"""A Monday in a year that no other test lives in."""
AS_OF = datetime(2001, 4, 2, 9, tzinfo=UTC)
_numbers = itertools.count(1)


async def case(
    connection: Connection, promises: list[tuple[str, dict[str, Any]]], *, priority: str = "high", week: int = 0
) -> str:
    """A case opened in a week, with promises as (state, other columns)."""
    case_id, at = f"R-{next(_numbers)}", START + timedelta(weeks=week)
    await connection.execute(
        "insert into service_case (case_id, subject, channel, impact, urgency, priority, status, status_at, opened_at,"
        " last_activity_at, planned_at, recorded_at, product_code)"
        " values ($1, 'x', 'web', 'high', 'high', $2, 'open', $3, $3, $3, $3, $3, 'CRM')",
        case_id,
        priority,
        at,
    )
    for number, (state, given) in enumerate(promises):
        row = {
            "case_id": case_id,
            "milestone": "resolution",
            "number": number + 1,
            "kind": "resolution",
            "started_at": at,
            "target": timedelta(hours=8),
            "state": state,
            **given,
        }
        marks = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await connection.execute(f"insert into case_milestone ({', '.join(row)}) values ({marks})", *row.values())
    return case_id


def done(hours: float, *, late: bool = False) -> dict[str, Any]:
    at = START + timedelta(hours=hours)
    violated = {"violated_at": START + timedelta(hours=8)} if late else {}
    return {"completed_at": at, "elapsed": timedelta(hours=hours), **violated}


async def test_each_promise_counts_once_as_kept_late_or_running(servers: Servers) -> None:
    violated = {"violated_at": START + timedelta(hours=8)}
    async with servers.pool.acquire() as connection, connection.transaction():
        first = await case(
            connection,
            [
                ("met", done(2)),
                ("missed", done(10, late=True)),
                ("open", {}),
                ("paused", {}),
                ("open", violated),
                ("open", {**violated, "reversed_at": START + timedelta(hours=9)}),
                ("stopped", {}),
                ("stopped", violated),
                ("met", {**done(4), **violated, "reversed_at": START + timedelta(hours=9)}),
                ("none", {"target": None}),
            ],
        )
        second = await case(connection, [("met", done(6))], priority="low", week=1)
        for number, score in enumerate([5, 4, 1]):
            await connection.execute(
                "insert into case_survey (survey_id, case_id, sent_at, score) values ($1, $2, $3, $4)",
                f"{first}-{number}",
                first,
                START,
                score,
            )
        report = await sla_report(connection, START, START + timedelta(weeks=3), as_of=AS_OF)
        await connection.execute("delete from case_survey where case_id = $1", first)
        for table in ("case_milestone", "service_case"):
            await connection.execute(f"delete from {table} where case_id = any($1)", [first, second])
    assert report.cases == 2
    [whole] = report.total.milestones
    assert (whole.met, whole.late, whole.running) == (3, 3, 3)
    assert whole.percent == Decimal("50.00")
    assert (whole.mean, whole.longest) == (timedelta(hours=5.5), timedelta(hours=10))
    assert labelled(report, "by_priority") == {"high": (2, 3, 3), "low": (1, 0, 0)}
    assert labelled(report, "by_week") == {"2001-03-05": (2, 3, 3), "2001-03-12": (1, 0, 0)}
    assert labelled(report, "by_product") == {"CRM": (3, 3, 3)}
    assert (report.total.csat.responses, report.total.csat.satisfied) == (3, 2)
    # Those who still wait have done so until the report is made; what does not count any more is no wait.
    longest = report.waited_longest[0]
    assert (longest.waited, longest.state, longest.case_id) == (AS_OF - START, "open", first)
    assert len(report.waited_longest) == 5


def labelled(report: SlaReport, by: str) -> dict[str, tuple[int, int, int]]:
    def counts(one: Attainment) -> tuple[int, int, int]:
        return one.met, one.late, one.running

    return {group.label: counts(group.milestones[0]) for group in getattr(report, by)}


async def test_a_period_takes_what_begins_in_it(servers: Servers) -> None:
    async with servers.pool.acquire() as connection, connection.transaction():
        ids = [await case(connection, [("met", done(2))], week=week) for week in (10, 11)]
        start = START + timedelta(weeks=10)
        report = await sla_report(connection, start, start + timedelta(weeks=1), as_of=AS_OF + timedelta(weeks=30))
        for table in ("case_milestone", "service_case"):
            await connection.execute(f"delete from {table} where case_id = any($1)", ids)
    assert report.cases == 1
    assert report.total.milestones[0].met == 1


async def test_own_revenue_is_what_the_assets_terms_and_offers_say(servers: Servers) -> None:
    """One customer in a currency that no other test uses: renewed once, expanded, at risk, and one contract lost."""
    document = builders.order(currency="SEK")
    await servers.client.place_order(document)
    account, contract = document["account"]["account_id"], document["contracts"][0]["contract_id"]
    term = await servers.pool.fetchrow("select starts_at, ends_at from contract_term where contract_id = $1", contract)
    assert term is not None
    start, end = term["starts_at"], term["ends_at"]
    arr = Decimal(40 * 1200 * 12 + 60000)
    async with servers.pool.acquire() as connection:
        inside = start + timedelta(days=30)
        revenue = await own_revenue(connection, "SEK", start - timedelta(days=60), inside)
        assert [revenue.arr, revenue.at_risk, revenue.renewed, revenue.lost] == [arr, 0, 0, 0]
        await connection.execute(
            "insert into health_score (account_id, at, score, band, parts) values ($1, $2, 30, 'critical', '[]')",
            account,
            inside - timedelta(days=1),
        )
        assert (await own_revenue(connection, "SEK", start, inside)).at_risk == arr
        assert (await own_revenue(connection, "SEK", start, inside - timedelta(days=2))).at_risk == 0
        asset = await connection.fetchval("select asset_id from asset where account_id = $1 limit 1", account)
        await connection.execute(
            "insert into offer (offer_id, account_id, asset_id, add_quantity, unit_price, currency, mrr_change, status,"
            " offered_at, expires_at, settled_at) values ($1, $2, $3, 5, 1200, 'SEK', 6000, 'accepted', $4, $4, $4)",
            f"O-{account}",
            account,
            asset,
            inside - timedelta(days=3),
        )
        await connection.execute(
            "update contract_term set origin = 'renewed' where contract_id = $1 and number = 1", contract
        )
        found = await own_revenue(connection, "SEK", start, inside)
        assert [found.expanded, found.renewed, found.renewals] == [72000, arr, 1]
        await connection.execute("update contract set status = 'ended' where contract_id = $1", contract)
        lost = await own_revenue(connection, "SEK", start, end + timedelta(days=1))
        assert (lost.lost, lost.losses, lost.kept_percent) == (arr, 1, Decimal(50))
