"""Every update's request has its JSON Schema under the update's name, and it is that of the model that the update reads."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from temporalio import workflow
from typer.testing import CliRunner

from tests.builders import order
from workers.cli import app
from workers.cli.common import UserError
from workers.documents import DOCUMENTS, OF_CASE, OF_JOURNEY, Models
from workflows.customer_journey import CustomerJourney
from workflows.service_case import ServiceCase


@pytest.mark.parametrize(("workflow_class", "models"), [(CustomerJourney, OF_JOURNEY), (ServiceCase, OF_CASE)])
def test_every_update_is_there_with_the_model_that_it_reads(workflow_class: type, models: Models) -> None:
    updates = workflow._Definition.must_from_class(workflow_class).updates
    assert set(models) == set(updates)
    for name, update in updates.items():
        assert update.validator is not None
        source = inspect.getsource(update.validator)
        if "self.check(" in source:
            assert f"self.check({models[str(name)].__name__}," in re.sub(r"\(\s+", "(", source), name


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
    assert "case.resume" in DOCUMENTS


def test_a_name_that_is_mistaken_gets_those_that_are_near() -> None:
    result = CliRunner().invoke(app, ["schema", "amend_asset"])
    assert isinstance(result.exception, UserError)
    assert "amend_assets" in str(result.exception)
