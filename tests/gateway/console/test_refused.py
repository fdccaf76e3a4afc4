"""Why something is refused is said in the reader's language: by kind of error, of each request, and on the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic_core import InitErrorDetails, ValidationError
from pydantic_core._pydantic_core import list_all_errors

from domain.frame.access import AccessRole
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import CASE, JOURNEY
from domain.kernel.refusals import INVALID_REQUEST, Refusal
from gateway.console.language import Words
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, person, signed_in

JA = Words("ja")
ELSEWHERE = (
    *("url", "uuid", "bytes", "time_", "json_", "complex", "fraction", "callable", "dataclass", "set_", "frozen"),
    *("mapping", "iterable", "iteration", "generator", "missing_", "multiple_argument", "unexpected", "arguments"),
    *("recursion", "get_attribute", "no_such", "is_", "custom", "assertion", "needs_python", "default_factory"),
    *("value_error", "invalid_key", "string_sub", "string_unicode", "missing_sentinel"),
)
"""Kinds of errors that no field of a request can have, by their beginnings, and those whose sentence is of the model's own."""
VALUES = {
    "enum": {"expected": "'a' or 'b'"},
    "literal_error": {"expected": "'a' or 'b'"},
    "union_tag_invalid": {"tag": "c", "discriminator": "'kind'", "expected_tags": "'a', 'b'"},
    "union_tag_not_found": {"discriminator": "'kind'"},
}
"""What the examples of some kinds leave empty."""
WRONG: tuple[Any, ...] = (
    *("", "x" * 6000, 5, -1, 3.7, True, None, [], {}, ["a", "a"], [{}]),
    *("2027-02-30", "2027-02-30T01:01", "no such thing", "a\x00b"),
)
REQUESTS = {
    name: kind
    for name, kind in {**JOURNEY, **{f"case {name}": kind for name, kind in CASE.items()}}.items()
    if not kind.internal and name not in ("place_order", "import_order")
}


def _paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in items:
        yield (*path, name)
        yield from _paths(value, (*path, name))


def _with(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = inner = json.loads(json.dumps(document))
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return dict(made)


def _wrong(kind: RequestKind[Any]) -> Iterator[dict[str, Any]]:
    """The example of a request with each field wrong in each way, and without any."""
    example = json.loads(kind.example)
    yield {}
    for path in {*_paths(example), *((name,) for name in kind.model.model_fields)}:
        for value in WRONG:
            yield _with(example, path, value)


def test_every_kind_of_error_that_a_field_can_have_is_told() -> None:
    kinds = [kind for kind in list_all_errors() if not kind["type"].startswith(ELSEWHERE)]
    assert len(kinds) > 40
    assert [said for kind in kinds if JA.refused(said := _told(kind)) is None] == []


def _told(kind: Mapping[str, Any]) -> str:
    """What is said of a field with an error of this kind."""
    about = {**(kind.get("example_context") or {}), **VALUES.get(kind["type"], {})}
    found: list[InitErrorDetails] = [{"type": kind["type"], "loc": ("field",), "input": None, "ctx": about}]
    error = ValidationError.from_exception_data("a request", found)
    return Refusal.from_validation(INVALID_REQUEST, "no", error).problems[0].problem


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_whatever_is_wrong_with_a_request_is_told_in_japanese(name: str) -> None:
    unknown, refused = set(), 0
    for document in _wrong(REQUESTS[name]):
        try:
            REQUESTS[name].read(document)
        except Refusal as refusal:
            refused += 1
            said = (refusal.says, *(problem.problem for problem in refusal.problems))
            unknown |= {one for one in said if JA.refused(one) is None}
    assert refused
    assert unknown == set()


async def _refused(browser: Browser, path: str, **typed: str) -> str:
    """What the page says to a form that is refused; all of it in Japanese."""
    await browser.open(path)
    assert not [has for tag, has in browser.page.tags if tag == "p" and has.get("lang") == "en"], "what it is about"
    page = await browser.send(path.partition("?")[0], **typed)
    assert browser.answer.status_code in (403, 404, 409, 422)
    assert "詳細（英語）" not in page.text, page.text
    return page.text


async def test_refusals_of_rules_are_read_in_japanese_and_what_is_not_known_is_marked(servers: Servers) -> None:
    document = order()
    account = document["account"]["account_id"]
    await servers.client.place_order(document)
    roles = (AccessRole.SALES, AccessRole.SUCCESS, AccessRole.SERVICE, AccessRole.OPERATOR, AccessRole.FINANCE)
    browser = await signed_in(servers, await person(servers, *roles, language="ja"))
    acts = f"/customers/{account}/acts"
    said = await _refused(browser, f"{acts}/lift_hold?hold_id=none-such")
    assert "保留none-suchは手動のものではないか" in said.replace("'", "")
    said = await _refused(browser, f"{acts}/override_health", band="watch", days="four", reason="r")
    assert "整数で入力してください" in said
    await _refused(browser, f"{acts}/answer_offer?offer_id=none-such&decision=accept")
    await _refused(browser, f"{acts}/answer_survey?survey_id=none-such", score="3")
    await _refused(browser, f"{acts}/answer_lead?lead_id=none-such&decision=accept")
    await _refused(browser, f"{acts}/complete_task?task=nothing")
    await _refused(browser, f"{acts}/reschedule_step?step=adoption/none-such", day="2027-03-12")
    await _refused(browser, f"{acts}/pause", reason="r", until="2001-01-01T00:00")
    await _refused(browser, f"{acts}/resume")
    await _refused(browser, f"{acts}/answer_renewal?contract_id=none-such&decision=accept")
    await _refused(browser, f"{acts}/note_payment", number="9", status="paid")
    page = await browser.open("/customers/nobody-here")
    assert "登録されていません" in page.text
    english = await signed_in(servers, await person(servers, *roles))
    await english.open(f"{acts}/resume")
    assert "the journey is not paused" in (await english.send(f"{acts}/resume")).text


def test_what_nobody_has_put_into_japanese_stays_as_it_is() -> None:
    assert JA.refused("a sentence that nobody has written") is None
    assert Words("en").refused("a sentence that nobody has written") == "a sentence that nobody has written"
