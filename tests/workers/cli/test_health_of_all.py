"""`perennial health run`, `explain` and `backtest --since`: over the tables of many customers."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from activities.success.health_runs import run_health
from activities.success.own_history import own_history, quarters
from activities.success.scores import latest_scores
from gateway.views.health import would_change
from tests.many_customers import AT, fill
from tests.own_database import OwnDatabase, own_database
from tests.workers.cli.running import perennial
from workers.embedded.stack import EmbeddedStack

MANY = 400
LEFT = {f"A-{n}" for n in range(1, MANY + 1) if n % 7 == 3}


@pytest.fixture(scope="module")
async def many(stack: EmbeddedStack) -> AsyncIterator[OwnDatabase]:
    """Hundreds of customers by rows alone."""
    async with own_database(stack, "health_of_all") as own:
        await fill(own.pool, MANY)
        yield own


async def test_all_customers_are_scored_in_no_time_and_again_only_what_changed_goes_on_record(
    many: OwnDatabase,
) -> None:
    with patch("activities.success.health_runs.present", return_value=AT):
        began = time.monotonic()
        first = await run_health(many.pool, None, AT)
        taken = time.monotonic() - began
        again = await run_health(many.pool, None, AT)
    with patch("activities.success.health_runs.present", return_value=AT + timedelta(minutes=5)):
        later = await run_health(many.pool, None, AT + timedelta(minutes=5))
    assert taken < 15, "10,000 customers are to take less than a minute"
    assert (first.scored, first.written) == (MANY - len(LEFT), MANY - len(LEFT))
    assert again.bands == first.bands
    assert (later.scored, later.written) == (first.scored, 0)
    assert min(first.bands[band] for band in ("healthy", "watch", "critical", "unknown")) > 0
    rows = await many.pool.fetch(
        "select c.account_id, c.status, h.band, h.rules from contract c join health_score h using (account_id) where c.status <> 'active'"
    )
    assert {row["status"] for row in rows} == {"declined", "grace"}
    assert not [row for row in rows if row["band"] == "healthy"]
    urgent = await many.pool.fetch(
        "select h.score from service_case c join health_score h using (account_id)"
        " where c.status = 'open' and c.priority = 'urgent' and c.opened_at < $1::timestamptz - interval '7 days' and h.score is not null",
        AT,
    )
    assert urgent
    assert max(row["score"] for row in urgent) <= 40


async def test_a_day_of_the_past_tells_nobody_and_who_lives_ahead_is_left_alone(many: OwnDatabase) -> None:
    with patch("activities.success.health_runs.present", return_value=AT):
        past = await run_health(many.pool, None, AT - timedelta(days=60), ["A-1", "A-2"])
        assert (past.scored, past.untold) == (2, 0)
        await many.pool.execute(
            "insert into effect (key, account_id, run, as_of, outcome) values ('journey:A-2/ahead', 'A-2', '', $1, '{}')",
            AT + timedelta(days=100),
        )
        now = await run_health(many.pool, None, AT + timedelta(minutes=10))
        assert now.scored == MANY - len(LEFT) - 1
        ahead = await run_health(many.pool, None, AT + timedelta(days=101))
        assert ahead.scored == 1
        await many.pool.execute("delete from effect where key = 'journey:A-2/ahead'")


async def test_the_command_scores_and_explains(many: OwnDatabase, tmp_path: Path) -> None:
    nowhere = {"TEMPORAL_ADDRESS": "127.0.0.1:1"}
    asked = ("health", "run", "--as-of", "2026-11-03", "--json")
    said = await perennial(*asked, dsn=many.dsn, folder=tmp_path, environment=nowhere)
    counts = json.loads(said.out)
    assert counts["scored"] == MANY - len(LEFT)
    assert "by the next look" in said.err  # no Temporal there
    shown = (await perennial("health", "explain", "A-50", dsn=many.dsn, folder=tmp_path, width=160)).out
    assert "declined: the renewal of K-50 is declined: never healthy." in shown
    assert "It would change with a renewal after all." in shown
    assert "By profile standard, version 1." in shown
    answer = await perennial(
        "health", "explain", "A-50", "--as-of", "2026-11-03", "--json", dsn=many.dsn, folder=tmp_path
    )
    document = json.loads(answer.out)
    assert [rule["name"] for rule in document["rules"]] == ["declined"]
    assert document["why"]
    states = {one["state"] for one in document["inputs"]}
    assert {"known", "missing"} <= states
    assert all(one["source"] for one in document["inputs"])
    async with many.pool.acquire() as connection:
        unknown = await connection.fetch("select distinct account_id from health_score where band = 'unknown'")
        latest = [await latest_scores(connection, row["account_id"], None) for row in unknown]
    ways = [line for (kept, *_) in latest for line in would_change(kept)]
    assert any(line.startswith("seats, once it is known") for line in ways)


async def test_the_company_s_own_past_is_scored_as_it_was_known(many: OwnDatabase, tmp_path: Path) -> None:
    days = quarters(date(2026, 3, 1), AT.date())
    assert days == [date(2026, 4, 1)]
    seen = await own_history(many.pool, days)
    assert {one.account for one in seen if one.left} == LEFT
    assert len(seen) == MANY
    before = {one.account: one.values for one in seen}
    await many.pool.execute("update usage_day set active_users = 40 - active_users where day > date '2026-04-01'")
    await many.pool.execute(
        "insert into survey (survey_id, account_id, kind, sent_at, score, answered_at)"
        " select 'late-' || account_id, account_id, 'nps', timestamptz '2026-05-01Z', 10, timestamptz '2026-05-02Z' from account"
    )
    assert {one.account: one.values for one in await own_history(many.pool, days)} == before, "it looked ahead"
    asked = ("health", "backtest", "--since", "2026-03-01", "--until", "2026-06-30", "--json")
    proof = json.loads((await perennial(*asked, dsn=many.dsn, folder=tmp_path)).out)
    assert (proof["profile"], proof["accounts"], proof["reliable"]) == ("standard", MANY, False)
    assert proof["scored"] < proof["accounts"]
    assert "verdict" in proof["says"] or "no power" in proof["says"]
    assert {one["name"] for one in proof["inputs"]} >= {"seats", "silence", "renewal"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--since", "2999-01-01"), "it is not known yet who left"),
        ((), "--since a day to look back"),
        (("--since", "2026-01-01", "--profile", "olist"), "go with a file"),
        (("nothing.csv",), "a file needs a profile"),
    ],
)
async def test_what_cannot_be_looked_back_on_is_said(
    many: OwnDatabase, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    refused = await perennial("health", "backtest", *arguments, dsn=many.dsn, folder=tmp_path, width=200)
    assert refused.code == 1
    assert says in refused.err
