"""What makes two requests the same: what was said, whoever says it and however it is written down."""

from __future__ import annotations

from typing import Any

import pytest

from domain.contracts.requests import AmendAssets, AnswerRenewal
from domain.journey.requests import PauseJourney
from domain.kernel.base import Received
from domain.kernel.fingerprints import asked_by, digest_of
from domain.kernel.refusals import Refusal
from domain.service.case_requests import Wait
from domain.service.claim_requests import GrantGoodwill

MORE: dict[str, Any] = {"assets": [{"asset_id": "A-1", "add": 10, "unit_price": "45"}], "effective": "2027-03-01"}


@pytest.mark.parametrize(
    ("model", "one", "other"),
    [
        (AmendAssets, MORE, {**MORE, "by": "s-7", "request_id": "r-9"}),
        (AmendAssets, MORE, {**MORE, "assets": [{"unit_price": "45.00", "add": 10, "asset_id": "A-1", "end": None}]}),
        (AmendAssets, MORE, {**MORE, "add_ons": [], "products": []}),
        (AnswerRenewal, {"contract_id": "K", "decision": "accept"}, {"contract_id": "K", "decision": "accept", "reason": ""}),
        (PauseJourney, {"reason": "x", "until": "2027-01-01T00:00:00Z"}, {"reason": " x", "until": "2027-01-01T09:00:00+09:00"}),
        (Wait, {"reason": "x"}, {"reason": "x", "waiting_for": "customer"}),
        (GrantGoodwill, {"amount": "10", "reason": "x"}, {"amount": 10.0, "reason": "x", "by": "s-2"}),
    ],
)  # fmt: skip
def test_the_same_said_in_another_way_is_the_same(model: type[Received], one: Any, other: Any) -> None:
    assert digest_of(model.model_validate(one)) == digest_of(model.model_validate(other))


@pytest.mark.parametrize(
    ("model", "one", "other"),
    [
        (AmendAssets, MORE, {**MORE, "effective": "2027-03-02"}),
        (AmendAssets, MORE, {**MORE, "assets": [{"asset_id": "A-1", "add": 11, "unit_price": "45"}]}),
        (AmendAssets, MORE, {**MORE, "assets": [{"asset_id": "A-1", "add": 10, "unit_price": "45.01"}]}),
        (AnswerRenewal, {"contract_id": "K", "decision": "accept"}, {"contract_id": "K", "decision": "decline", "reason": "price"}),
        (PauseJourney, {"reason": "x"}, {"reason": "y"}),
        (Wait, {"reason": "x"}, {"reason": "x", "waiting_for": "internal"}),
        (GrantGoodwill, {"amount": "10", "reason": "x"}, {"amount": "100", "reason": "x"}),
    ],
)  # fmt: skip
def test_anything_else_is_something_else(model: type[Received], one: Any, other: Any) -> None:
    assert digest_of(model.model_validate(one)) != digest_of(model.model_validate(other))


def test_a_field_that_a_later_release_adds_changes_no_fingerprint() -> None:
    class Later(PauseJourney):
        quietly: bool = False
        note: str | None = None

    said = {"reason": "x", "until": "2027-01-01T00:00:00Z"}
    assert digest_of(Later.model_validate(said)) == digest_of(PauseJourney.model_validate(said))


def test_something_else_under_an_id_is_refused_and_what_nobody_wrote_down_is_not() -> None:
    asked = asked_by(PauseJourney(reason="x"), "r-1")
    asked.check(None)  # a row of a release that noted nothing
    asked.check(asked.digest)
    with pytest.raises(Refusal, match="'r-1' was made before and asked for something else") as refused:
        asked.check(digest_of(PauseJourney(reason="y")))
    assert refused.value.type == "RequestConflict"


def test_the_fingerprints_of_the_release_before_are_known() -> None:
    asked = AmendAssets.model_validate(MORE).asked("r-1")
    asked.check(AmendAssets.model_validate({**MORE, "by": "s-1", "reason": "growth"}).asked("r-1").older)
    with pytest.raises(Refusal):
        asked.check(AmendAssets.model_validate({**MORE, "effective": "2027-04-01"}).asked("r-1").older)
