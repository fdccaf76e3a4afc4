"""Examples of answers: recorded of real calls, as the document describes them, and one for almost everything that is answered in JSON."""

from __future__ import annotations

from typing import Any

import jsonschema

from gateway.api.app import openapi_document
from tests.answers import unlike
from tests.examples import examples


def _answers(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is said of the answer of each operation that answers in JSON."""
    return {
        one["operationId"]: content
        for methods in document["paths"].values()
        for one in methods.values()
        if (content := one["responses"].get("200", {}).get("content", {}).get("application/json"))
    }


def test_each_example_is_as_the_document_says() -> None:
    document = openapi_document()
    answers, wrong = _answers(document), []
    checker = jsonschema.Draft202012Validator
    for name, example in examples().items():
        schema = {**answers[name]["schema"], "components": document["components"]}
        wrong += [f"{name}: {error.json_path}: {error.message}" for error in checker(schema).iter_errors(example)]
        assert answers[name]["examples"]["recorded"]["value"] == example
    assert wrong == []


def test_examples_of_requests_are_whole_and_say_nothing_else() -> None:
    from gateway.views.answers.table import ANSWERS

    assert [says for name, one in examples().items() if name in ANSWERS and (says := unlike(name, one))] == []


def test_nearly_every_answer_has_an_example() -> None:
    answers = _answers(openapi_document())
    assert not examples().keys() - answers.keys(), "what is no more has none"
    without = answers.keys() - examples().keys()
    assert len(without) <= MOST_WITHOUT, sorted(without)


MOST_WITHOUT = 27
"""Recorded later: `tests/examples.py` says how."""


def test_durations_may_have_fractions_of_seconds() -> None:
    schemas = openapi_document()["components"]["schemas"]
    waited = schemas["Waiting"]["properties"]["waited"]
    assert (waited["type"], waited.get("format")) == ("string", None)
    assert "ISO 8601" in waited["description"]
