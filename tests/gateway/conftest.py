"""The inbox that mails of customers reach."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain.mail.marks import Domains
from gateway.cases import CaseClient
from gateway.inbound import Inbox
from tests.conftest import Servers
from tests.gateway.mail.post import DOMAIN, OWN, Post


@pytest.fixture
async def post(servers: Servers) -> AsyncIterator[Post]:
    cases = CaseClient(servers.temporal, servers.pool)
    inbox = Inbox(servers.client, cases, servers.pool, own_address=OWN, domains=Domains(DOMAIN, DOMAIN))
    servers.stack.mail.arrival = inbox.arrival
    yield Post(servers, inbox, cases)
    servers.stack.mail.arrival = None
