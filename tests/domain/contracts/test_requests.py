"""What a request may say, and what days and instants in it mean."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assets.errors import BackdateError
from domain.contracts.requests import (
    AmendAssets,
    CancelAssets,
    RenewAssets,
    RollBack,
    SwapAssets,
    TransferAssets,
)
from domain.kernel.refusals import Refusal
from domain.kernel.requests import read_request
from tests.domain.contracts.world import World

MODELS = (AmendAssets, RenewAssets, CancelAssets, TransferAssets, SwapAssets, RollBack)


def amend(**fields: Any) -> AmendAssets:
    return read_request(AmendAssets, {"assets": [{"asset_id": "A", "add": 1}], **fields})


@pytest.mark.parametrize("model", MODELS)
def test_every_request_has_a_schema_that_names_its_fields(model: type[AmendAssets]) -> None:
    schema = model.model_json_schema()
    assert {"by", "request_id"} <= set(schema["properties"])
    assert not schema["additionalProperties"]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2027-03-01", date(2027, 3, 1)),
        ("2027-03-01T09:00:00+09:00", datetime(2027, 3, 1, tzinfo=UTC)),
        ("2027-03-01T00:00:00Z", datetime(2027, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_day_stays_a_day_and_an_instant_is_kept_in_utc(text: str, means: date) -> None:
    assert amend(effective=text).effective == means


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("soon", "neither a day such as"),
        ("2027-03-01T09:00:00", "with its offset"),
        ("2027-02-30", "neither a day"),
        ("3027-03-01", "out of reach"),
        (20270301, "must be a day"),
    ],
)
def test_what_is_no_moment_is_refused_with_what_would_be_right(value: Any, says: str) -> None:
    with pytest.raises(Refusal, match=says):
        amend(effective=value)


@given(st.integers(-400, 400), st.sampled_from(["Asia/Tokyo", "UTC", "America/New_York"]))
def test_a_day_begins_with_its_first_instant_where_the_customer_lives(days: int, zone: str) -> None:
    world = World(auto_renew=False, zone=zone)
    desk = world.desk()
    day = desk.situation.today + timedelta(days=days)
    if days < 0:
        with pytest.raises(BackdateError):
            desk.moment(day)
    elif days == 0:
        assert desk.moment(day) == world.now
    else:
        local = desk.moment(day).astimezone(ZoneInfo(zone))
        assert (local.date(), local.hour, local.minute) == (day, 0, 0)
    assert desk.closing(day).astimezone(ZoneInfo(zone)).date() == day + timedelta(days=1)


def test_what_is_asked_is_told_apart_to_the_instant() -> None:
    asked = ("2027-03-01", "2027-03-01T00:00:00+09:00", "2027-03-01T09:00:00+09:00", "now", "period_end")
    digests = [
        CancelAssets.model_validate({"contract_id": "K-1", "effective": when, "by": f"p-{n}"}).asked("r").older
        for n, when in enumerate(asked)
    ]
    assert len(set(digests)) == len(asked)
    same = {"contract_id": "K-1", "effective": "2027-02-28T15:00:00Z", "reason": "moves on", "request_id": "r-2"}
    assert CancelAssets.model_validate(same).asked("r").older == digests[1]
