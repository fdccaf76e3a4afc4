"""The sample provisioning service speaks the protocol that is written down."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from activities.channels.errors import ChannelUnavailableError
from activities.channels.provisioning import HttpProvisioner
from domain.orders.provisioning import ProvisioningItem, ProvisioningRequest
from tests.ports import own_ports

SAMPLE = Path(__file__).parents[3] / "docs" / "provisioning_service.py"


async def test_the_sample_sets_up_each_request_once() -> None:
    (port,) = own_ports(1)
    service = await asyncio.create_subprocess_exec(sys.executable, str(SAMPLE), str(port))
    try:
        items = (ProvisioningItem(line_id="SO-1.1", product="CRM", quantity=25),)
        request = ProvisioningRequest(
            request_key="journey:acme/onboarding:SO-1/provisioning",
            account_id="acme",
            order_id="SO-1",
            items=items,
            as_of=datetime(2026, 12, 1, tzinfo=UTC),
        )
        provisioner = HttpProvisioner(f"http://127.0.0.1:{port}/")
        while True:
            assert service.returncode is None
            try:
                first = await provisioner.provision(request)
                break
            except ChannelUnavailableError:
                await asyncio.sleep(0.1)
        assert first.items[0].reference == "tenant-acme-SO-1.1"
        assert await provisioner.provision(request) == first
    finally:
        service.terminate()
        await service.wait()
