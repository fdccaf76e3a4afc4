"""Ready is who finds the schema of this release, the namespace, and in it the journeys of customers under contract."""

from __future__ import annotations

import asyncpg
import pytest
from temporalio.client import Client

from activities.kernel.pool import TRANSPORT_ERRORS, open_pool
from gateway.api.app import create_app
from gateway.doors import Doors
from gateway.readiness import shortcomings
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import in_front_of
from tests.own_database import own_database

pytestmark = pytest.mark.engine


async def test_what_is_missing_is_said(servers: Servers) -> None:
    await servers.client.place_order(order())
    assert await shortcomings(servers.temporal, servers.pool) == []
    elsewhere = await Client.connect(servers.stack.temporal_address, namespace="nowhere")
    (said,) = await shortcomings(elsewhere, servers.pool)
    assert said.startswith("Temporal has no namespace 'nowhere'; make it")
    # The customers of this database are none of the other namespace's.
    emptied = await Client.connect(servers.stack.temporal_address, namespace="temporal-system")
    (said,) = await shortcomings(emptied, servers.pool)
    assert "namespace 'temporal-system' has no journey" in said
    assert "doctor --reconcile --mend" in said


async def test_a_pending_migration_and_a_lost_database_are_noticed(servers: Servers) -> None:
    async with own_database(servers.stack, "unready") as own:
        assert await shortcomings(servers.temporal, own.pool) == []
        last = await own.pool.fetchval(
            "delete from schema_migrations where version = (select max(version) from schema_migrations) returning version"
        )
        (said,) = await shortcomings(servers.temporal, own.pool)
        assert said == f"1 migration to be applied, the first is {last}; run `perennial migrate`"
        await own.pool.execute("insert into schema_migrations values ($1), ('29990101000000')", last)
        assert await shortcomings(servers.temporal, own.pool) == [], "a newer release has migrated"
        await own.pool.execute("drop table schema_migrations")
        assert "no schema yet" in (await shortcomings(servers.temporal, own.pool))[0]
        app = in_front_of(create_app(Doors(servers.temporal, own.pool)))
        answer = await app.http.get("/ready")
        assert (answer.status_code, "perennial migrate" in answer.text) == (503, True)
        assert (await app.http.get("/live")).status_code == 200
    lost = await open_pool("postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises((*TRANSPORT_ERRORS, asyncpg.PostgresError)):
        await shortcomings(servers.temporal, lost)
    answer = await in_front_of(create_app(Doors(servers.temporal, lost))).http.get("/ready")
    assert answer.status_code == 503
    await lost.close()
