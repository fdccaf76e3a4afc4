"""A workflow that Temporal does not know, and a namespace that it does not know (yet)."""

from __future__ import annotations

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.kernel.engine import is_unknown
from domain.kernel.refusals import Refusal
from gateway.client import PerennialClient
from tests.conftest import Servers

pytestmark = pytest.mark.engine


async def test_that_there_is_no_namespace_says_nothing_of_a_journey(servers: Servers) -> None:
    here = await Client.connect(servers.stack.temporal_address)
    with pytest.raises(Refusal, match="has no journey"):
        await PerennialClient(here, servers.pool).now("nobody-at-all")
    elsewhere = await Client.connect(servers.stack.temporal_address, namespace="not-there-yet")
    with pytest.raises(RPCError) as failed:
        await elsewhere.get_workflow_handle("journey-nobody-at-all").describe()
    assert not is_unknown(failed.value)
    with pytest.raises(RPCError, match="Namespace not-there-yet is not found"):
        await PerennialClient(elsewhere, servers.pool).now("nobody-at-all")
