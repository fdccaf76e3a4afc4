"""Every update's request has its JSON Schema under the update's name."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from tests.builders import order
from workers.cli import app
from workers.cli.common import UserError
from workers.documents import DOCUMENTS


def printed(name: str) -> Any:
    result = CliRunner().invoke(app, ["schema", name])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_schema_is_printed_and_says_what_is_right() -> None:
    for name in DOCUMENTS:
        Draft202012Validator.check_schema(DOCUMENTS[name].model_json_schema())
    Draft202012Validator(printed("place_order")).validate(order())
    amend = Draft202012Validator(printed("amend_assets"))
    good = {"assets": [{"asset_id": "A", "remove": 1}], "effective": "2027-06-01", "request_id": "r-1"}
    amend.validate(good)
    assert not amend.is_valid({"assets": [{"asset_id": "A", "remove": -1}]})
    assert not amend.is_valid({**good, "more": 1})
    assert [amend.is_valid(one) for one in printed("amend_assets")["examples"]] == [True]
    assert printed("case.resume")["examples"] != printed("resume")["examples"]
    assert "case.resume" in DOCUMENTS


def test_a_name_that_is_mistaken_gets_those_that_are_near() -> None:
    result = CliRunner().invoke(app, ["schema", "amend_asset"])
    assert isinstance(result.exception, UserError)
    assert "amend_assets" in str(result.exception)
