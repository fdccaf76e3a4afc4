"""What a worker logs of real lives: a line for each step, request and delivery, and nothing of a person."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from domain.frame.step_words import STEPS
from tests.builders import order
from tests.cases import case, case_client
from tests.conftest import Servers
from tests.living_in_memory import InMemory
from workers.logs import Lines, set_up
from workers.settings import LogForm

PLANTED = (
    "Zanzibar",
    "zanzibar.z@buyer.example",
    "Quagga",
    "the till burns",
    "a new cable",
    "Olga Owner",
    "olga@seller.example",
)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Where log lines go during a test."""
    stream, level = io.StringIO(), logging.getLogger("perennial.work").level
    set_up(LogForm.JSON, stream)
    yield stream
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one.formatter, Lines)]:
        root.removeHandler(handler)
    logging.getLogger("perennial.work").setLevel(level)


async def test_each_step_request_and_delivery_has_a_line_without_anything_of_a_person(
    in_memory: tuple[Servers, InMemory], written: io.StringIO
) -> None:
    servers, _ = in_memory
    document = order()
    document["account"]["name"] = "Quagga Trading"
    document["contacts"][0] |= {"name": "Zanzibar Zed", "email": "zanzibar.z@buyer.example"}
    account = document["account"]["account_id"]
    await servers.client.place_order(document)
    opened = await case_client(servers).open_case(case(document, body="the till burns"))
    answer = {"body": "a new cable is on its way", "by": "S-2", "request_id": "answer-to-zanzibar.z@buyer.example"}
    await case_client(servers).ask(opened.case_id, "respond", answer)
    await servers.client.fast_forward(account, timedelta(days=40))
    with pytest.raises(Exception, match="Zanzibar"):
        await servers.client.ask(account, "complete_task", {"task": "Zanzibar", "by": "S-1"})
    text = written.getvalue()
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert {"step", "request", "delivery"} == {line["event"] for line in lines}
    assert {line["kind"] for line in lines if line["event"] == "step"} <= set(STEPS)
    of_account = [line for line in lines if line.get("account") == account]
    assert {"activate_order", "deliver_together"} <= {line["kind"] for line in of_account}
    assert [line for line in lines if line.get("case") == opened.case_id]
    for line in lines:
        assert line["key"]
        assert line["run"]
        assert line["seconds"] >= 0
        assert (line["level"] == "info") is (line["outcome"] == "done")
    assert not [planted for planted in PLANTED if planted in text]


def test_lines_are_pairs_or_objects_and_errors_are_told_by_their_kind(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("zanzibar.z@buyer.example is not known")
    except ValueError as error:
        record = logging.LogRecord("other", logging.ERROR, "", 0, "it %s", ("broke",), (type(error), error, None))
    assert Lines(LogForm.TEXT).format(record).endswith('level=error logger=other says="it broke" error=ValueError')
    assert json.loads(Lines(LogForm.JSON).format(record))["error"] == "ValueError"
