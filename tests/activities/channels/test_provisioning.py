from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from activities.channels.errors import ChannelUnavailableError
from activities.channels.provisioning import HttpProvisioner, InstantProvisioner, Provisioner
from domain.orders.provisioning import (
    ProvisioningAnswerError,
    ProvisioningItem,
    ProvisioningRequest,
    ProvisioningResult,
    check_result,
    read_answer,
)
from tests.activities.channels.fake_provisioning import Behaviour, FakeProvisioning
from tests.activities.channels.slow_servers import Server, dripping, served, unavailable_in_time

REQUEST = ProvisioningRequest(
    request_key="journey:C-17/onboarding:O-1/provisioning",
    account_id="C-17",
    order_id="O-1",
    items=(
        ProvisioningItem(line_id="line-1", product="team-plan", quantity=100),
        ProvisioningItem(line_id="line-2", product="brew-sensor", quantity=4),
    ),
    as_of=datetime(2027, 3, 1, tzinfo=UTC),
)


async def test_the_service_is_asked_and_its_answer_returned(service: FakeProvisioning) -> None:
    provisioner: Provisioner = HttpProvisioner(service.url, 60)
    result = await provisioner.provision(REQUEST)
    assert [(item.line_id, item.status, item.reference) for item in result.items] == [
        ("line-1", "active", "svc-line-1"),
        ("line-2", "active", "svc-line-2"),
    ]
    assert ProvisioningRequest.model_validate(service.last_request) == REQUEST
    assert service.last_headers["Idempotency-Key"] == REQUEST.request_key
    assert service.last_headers["Content-Type"] == "application/json"


async def test_asking_again_has_no_second_effect(service: FakeProvisioning) -> None:
    provisioner = HttpProvisioner(service.url, 60)
    assert await provisioner.provision(REQUEST) == await provisioner.provision(REQUEST)
    assert service.requests[REQUEST.request_key] == 2
    assert service.effects[REQUEST.request_key] == 1


async def test_a_slow_service_is_waited_for(service: FakeProvisioning) -> None:
    service.behaviour = Behaviour.SLOW
    result = await HttpProvisioner(service.url, 60).provision(REQUEST)
    assert len(result.items) == 2


async def test_a_service_that_is_too_slow_is_unavailable_and_then_answers(service: FakeProvisioning) -> None:
    service.behaviour, service.delay_seconds = Behaviour.SLOW, 30
    provisioner = HttpProvisioner(service.url, 0.3)
    with unavailable_in_time():
        await provisioner.provision(REQUEST)
    service.behaviour = Behaviour.RIGHT
    await provisioner.provision(REQUEST)
    assert service.effects[REQUEST.request_key] == 1


@pytest.mark.parametrize("behaviour", [Behaviour.DOWN, Behaviour.HANGS_UP, Behaviour.REDIRECTS])
async def test_a_service_that_is_down_is_unavailable(service: FakeProvisioning, behaviour: Behaviour) -> None:
    service.behaviour = behaviour
    with pytest.raises(ChannelUnavailableError):
        await HttpProvisioner(service.url, 60).provision(REQUEST)
    assert service.effects[REQUEST.request_key] == 0


async def test_a_service_that_refuses_connections_comes_back(service: FakeProvisioning) -> None:
    provisioner = HttpProvisioner(service.url, 60)
    service.stop()
    with pytest.raises(ChannelUnavailableError):
        await provisioner.provision(REQUEST)
    service.start()
    assert len((await provisioner.provision(REQUEST)).items) == 2


async def test_an_unknown_host_is_unavailable() -> None:
    with pytest.raises(ChannelUnavailableError):
        await HttpProvisioner("http://no-such-host.invalid/", 60).provision(REQUEST)


NEVER_ENDS = dripping(b" ", first=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")


async def speaks_no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("server", [NEVER_ENDS, speaks_no_http])
async def test_a_server_that_is_none_is_unavailable_within_the_time_out(server: Server) -> None:
    async with served(server) as port:
        with unavailable_in_time():
            await HttpProvisioner(f"http://127.0.0.1:{port}/", 0.4).provision(REQUEST)


@pytest.mark.parametrize(
    ("behaviour", "field", "expected"),
    [
        (Behaviour.REFUSES, "status", "200"),
        (Behaviour.NOT_JSON, "body", "JSON object"),
        (Behaviour.HTML, "body", "JSON object"),
        (Behaviour.EMPTY, "body", "JSON object"),
        (Behaviour.A_LIST, "body", "JSON object"),
        (Behaviour.WRONG_KEY, "request_key", REQUEST.request_key),
        (Behaviour.NO_ITEMS, "items", "a list"),
        (Behaviour.MISSING_LINE, "items", "each of the 2 lines exactly once"),
        (Behaviour.UNKNOWN_LINE, "items[0].line_id", "one of line-1, line-2"),
        (Behaviour.LINE_TWICE, "items", "each of the 2 lines exactly once"),
        (Behaviour.WRONG_STATUS, "items[0].status", '"active"'),
        (Behaviour.WRONG_QUANTITY, "items[0].quantity", "100"),
        (Behaviour.NO_REFERENCE, "items[0].reference", "a string"),
        (Behaviour.EXTRA_FIELD, "mood", "the fields of the contract"),
    ],
)
async def test_nonsense_is_named(service: FakeProvisioning, behaviour: Behaviour, field: str, expected: str) -> None:
    service.behaviour = behaviour
    with pytest.raises(ProvisioningAnswerError) as caught:
        await HttpProvisioner(service.url, 60).provision(REQUEST)
    assert caught.value.field == field
    assert expected in caught.value.expected
    assert field in str(caught.value)
    assert expected in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"items": []}', "request_key"),
        (b'{"request_key": 7, "items": []}', "request_key"),
        (b'{"request_key": "k", "items": [7]}', "items[0]"),
        (b'{"request_key": "k", "items": [{"line_id": "l", "status": "active", "reference": ""}]}', "items[0].reference"),
        (b'{"request_key": "k", "items": [{"line_id": "l", "status": "active", "reference": "r", "x": 1}]}', "items[0].x"),
        (b"\xff\xfe", "body"),
        (b"null", "body"),
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_named(body: bytes, field: str) -> None:
    with pytest.raises(ProvisioningAnswerError) as caught:
        read_answer(REQUEST, body)
    assert caught.value.field == field
    assert caught.value.expected


def test_a_result_in_another_order_with_quantities_is_right() -> None:
    result = ProvisioningResult.model_validate(
        {
            "request_key": REQUEST.request_key,
            "items": [
                {"line_id": "line-2", "status": "active", "reference": "b", "quantity": 4},
                {"line_id": "line-1", "status": "active", "reference": "a", "quantity": 100},
            ],
        }
    )
    check_result(REQUEST, result)
    assert read_answer(REQUEST, result.model_dump_json().encode()) == result


async def test_without_a_service_everything_is_active_at_once() -> None:
    result = await InstantProvisioner().provision(REQUEST)
    check_result(REQUEST, result)
    assert result == await InstantProvisioner().provision(REQUEST)
    assert {item.reference for item in result.items} == {
        f"{REQUEST.request_key}/line-1",
        f"{REQUEST.request_key}/line-2",
    }


@pytest.mark.parametrize("url", ["", "provisioning.example", "ftp://provisioning.example/", "http:///path"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="use http://host/path"):
        HttpProvisioner(url)


@pytest.mark.parametrize(
    "changes", [{"items": []}, {"request_key": ""}, {"items": [{"line_id": "l", "product": "p", "quantity": 0}]}]
)
def test_a_request_that_asks_for_nothing_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProvisioningRequest.model_validate(REQUEST.model_dump() | changes)
