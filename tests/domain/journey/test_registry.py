"""The registry of requests: each entry is whole, and says what is right."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from domain.frame.request_kinds import Asker, RequestKind
from domain.journey.registry import BY_ACTIVITY, CASE, JOURNEY, OF_CASES, OF_JOURNEYS, Kind

KINDS = [*JOURNEY.values(), *CASE.values()]


def test_each_name_is_used_once() -> None:
    for areas, named in ((OF_JOURNEYS, JOURNEY), (OF_CASES, CASE)):
        assert [kind.update for kinds in areas.values() for kind in kinds] == list(named)
    assert len(BY_ACTIVITY) == len(KINDS) == len({kind.words for kind in KINDS})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.answered_by)
def test_an_entry_is_whole(kind: Kind) -> None:
    document = json.loads(kind.example)
    assert isinstance(kind.read(document), kind.model)
    Draft202012Validator(kind.model.model_json_schema()).validate(document)
    assert kind.asked_by
    assert kind.asked_by in ~Asker(0)
    assert kind.words[:1].isupper()
    assert 20 < len(kind.description) < 800
    if kind.rule is not None:  # mypy does not compare the two in a list of all
        asked = inspect.signature(kind.rule).parameters["request"].annotation
        assert asked in {known.__name__ for known in kind.model.__mro__}


def test_the_fields_say_what_may_be_left_out_and_what_may_stand_there() -> None:
    assert JOURNEY["request_renewal"].fields == "{contract_id, by?}"
    assert JOURNEY["answer_renewal"].fields.startswith(
        "{contract_id, decision: accept|decline, reason?, version?, why?: price|"
    )
    assert JOURNEY["override_hold"].fields == "{role, reason, by, hours?, until?}"
    amended = JOURNEY["amend_assets"].fields
    assert amended.startswith("{assets?: [{asset_id, expected_version?, add?, ")
    assert "fields?, start?, end?, end_with?: {…}" in amended
    assert "account: {…}, contacts: […]" in JOURNEY["place_order"].fields


def test_a_description_is_the_first_sentence_with_the_fields() -> None:
    class Wave(BaseModel):
        """Somebody waves. Nobody
        waves back."""

        at: str | None = None

    kind = RequestKind("wave", Wave, None, "Wave", Asker.CUSTOMER, "{}")  # type: ignore[type-var]
    assert kind.description == "Somebody waves: {at?}"


def test_it_needs_neither_engine_nor_database() -> None:
    asked = "import domain.journey.registry, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert not {"temporalio", "asyncpg", "activities", "workflows", "jinja2"} & set(loaded.stdout.split())
