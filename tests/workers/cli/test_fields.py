"""How a request is written on the command line: fields, JSON, a file; by what the update takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workers.cli.asking import read_fields
from workers.cli.common import UserError
from workers.documents import OF_CASE, OF_JOURNEY, Models


@pytest.mark.parametrize(
    ("models", "update", "arguments", "request_"),
    [
        (OF_CASE, "resolve", ['{"code": "fixed", "text": "A new cable"}'], {"code": "fixed", "text": "A new cable"}),
        (OF_CASE, "resolve", ['{"code": "fixed"}', "text=A [new] cable"], {"code": "fixed", "text": "A [new] cable"}),
        (OF_CASE, "note", ["body=[urgent] look", "shared=true"], {"body": "[urgent] look", "shared": True}),
        (OF_CASE, "note", ["body={x}", "expected_version=3"], {"body": "{x}", "expected_version": 3}),
        (OF_CASE, "respond", ["body=a=b", "request_id=007"], {"body": "a=b", "request_id": "007"}),
        (OF_CASE, "answer_csat", ["score=5"], {"score": 5}),
        (OF_CASE, "answer_csat", ["score=five"], {"score": "five"}),
        (OF_CASE, "grant_goodwill", ["amount=10.50", "reason=12"], {"amount": "10.50", "reason": "12"}),
        (OF_JOURNEY, "answer_survey", ["survey_id=1", "score=9"], {"survey_id": "1", "score": 9}),
        (OF_JOURNEY, "override_hold", ["hours=2", "reason=true"], {"hours": 2, "reason": "true"}),
        (OF_JOURNEY, "cancel_assets", ['assets=[{"asset_id": "A"}]', "effective=now"], {"assets": [{"asset_id": "A"}], "effective": "now"}),
        (OF_JOURNEY, "take_up_holdings", ["assets=2", 'contracts=["K"]'], {"assets": 2, "contracts": ["K"]}),
        (OF_JOURNEY, "change_contacts", ['remove=["P-1"]', "reason=[gone]"], {"remove": ["P-1"], "reason": "[gone]"}),
    ],
)  # fmt: skip
def test_a_field_is_read_as_what_the_update_takes(
    models: Models, update: str, arguments: list[str], request_: Any
) -> None:
    assert read_fields(arguments, update, models) == request_


@pytest.mark.parametrize(
    ("models", "update", "says"),
    [
        (OF_CASE, "resolved", "did you mean resolve"),
        (OF_JOURNEY, "close_journy", "did you mean close_journey"),
        (OF_CASE, "xyzzy", "there are answer_csat, "),
    ],
)
def test_a_request_that_there_is_not_is_said_with_those_that_there_are(models: Models, update: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_fields([], update, models)


@pytest.mark.parametrize("models", [OF_CASE, OF_JOURNEY])
def test_a_file_is_a_whole_request(models: Models, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"reason": "x"}), encoding="utf-8-sig")
    assert read_fields([f"@{file}", "by=s-1"], "resume", models) == {"reason": "x", "by": "s-1"}
    for bad, says in (
        (f"@{tmp_path}/none", "cannot be read"),
        ("reason", "is no field"),
        ('{"reason": ', "is no JSON"),
    ):
        with pytest.raises(UserError, match=says):
            read_fields([bad], "resume", models)
