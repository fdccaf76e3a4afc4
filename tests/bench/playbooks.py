"""How long a playbook's rehearsal over 10,000 customers takes.

On a PostgreSQL of its own, with customers who are copies of one that was sold something, each with a year of effects.
"""

from __future__ import annotations

import dataclasses
import resource
import time
from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.testing import ActivityEnvironment

from activities.frame.unit_of_work import Performer
from activities.journey.accepting import OrderAcceptance
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from activities.playbooks import FOLDER, read_playbooks
from domain.frame.calls import RequestCall
from domain.frame.playbook import Playbook
from domain.kernel.calendar import add_months
from gateway.trials import held, try_on_all
from tests.bench.rows import Row, Size
from tests.bench.stand import database
from tests.builders import order

CUSTOMERS = 10_000
LIMIT = 60.0
TAG = "BENCHED"
EFFECTS = 100
TABLES = (
    "account", "contact", "sales_order", "order_line", "contract", "contract_term", "asset", "asset_state_period",
    "onboarding_task", "effect",
)  # fmt: skip
NOTE = {"template": "play_note", "words": {"en": {"subject": "A tip", "text": "Try it."}}}


def another(present: Playbook) -> Playbook:
    """The next version: other check-ins and notices, and plays with conditions."""
    changed = {
        "version": present.version + 1,
        "adoption": present.adoption.model_dump(mode="json") | {"every_days": 45},
        "renewal": present.renewal.model_dump(mode="json") | {"notice_days": [120, 60, 30]},
        "plays": [
            {"name": "tip", "title": "Tip", "anchor": "order_activated", "days": 60, "mail": NOTE},
            {"name": "big", "title": "Big", "anchor": "contract_end", "days": -100, "when": "arr > 100.0 && contracts > 0",
             "task": {"title": "Meet"}},
            {"name": "few", "title": "Few", "anchor": "deadline_to_decline", "days": -20, "when": "seats_share < 0.5",
             "task": {"title": "Call"}},
        ],
    }  # fmt: skip
    return Playbook.model_validate(present.model_dump(mode="json") | changed)


async def fill(pool: Pool, customers: int) -> None:
    """So many customers who are one, under other ids."""
    document = order(TAG, order_id=f"SO-{TAG}")
    document["contracts"][0] |= {"contract_id": f"K-{TAG}", "auto_renew": True}
    call = RequestCall(account_id=TAG, request_id=TAG, body=document, as_of=present(), run="", opening=True)
    accepting = OrderAcceptance(Performer(pool, "Bench"), read_playbooks(FOLDER))
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, start_to_close_timeout=timedelta(minutes=1))
    await environment.run(accepting.activate_order, call)
    async with pool.acquire() as connection:
        await connection.execute("update onboarding_task set status = 'done', completed_at = due_at")
        await connection.execute(
            "insert into effect (key, account_id, run, as_of, outcome) select 'journey:' || $1::text || '/billing:contract:K/invoice-' || n,"
            " $1, '', now() - n * interval '3 days', '{}' from generate_series(1, $2::int) n",
            *(TAG, EFFECTS),
        )
        for table in TABLES:
            statement = (
                f"insert into {table} select (jsonb_populate_record(null::{table}, replace(to_jsonb(t)::text, '{TAG}',"
                f" '{TAG}' || n)::jsonb)).* from {table} t cross join generate_series(1, $1::int) n"
            )
            await connection.execute(statement, customers - 1, timeout=600)
        await connection.execute("analyze", timeout=100)


async def rows(size: Size) -> AsyncIterator[Row]:
    """A next version with other check-ins, notices and plays, tried on all customers a year ahead."""
    customers = size.count("customers", CUSTOMERS, 500)
    async with database() as place:
        await fill(place.pool, customers)
        accounts = await held(place.pool, "standard")
        now = present() + timedelta(days=1)
        playbook = read_playbooks(FOLDER).current("standard")
        assert playbook is not None
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        trials = [
            one
            async for ready in try_on_all(place.dsn, another(playbook), accounts, now, add_months(now.date(), 12))
            for one in ready
        ]
        taken = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert len(trials) == customers
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = {name: sum(len(getattr(one, name)) for one in trials) for name in ("adds", "drops", "moves", "asleep")}
    said = ", ".join(f"{name} {count:,}" for name, count in found.items())
    figure = f"rehearsal of a playbook on {customers:,} customers"
    yield Row(figure, taken, "s", LIMIT * customers / CUSTOMERS, detail=f"({cpu:.1f} s of CPU)", how=said)
