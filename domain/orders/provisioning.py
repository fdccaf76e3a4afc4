"""What a provisioning service is asked, what it may answer, and the check of one against the other."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import AwareDatetime, Field, ValidationError

from domain.kernel.base import Carried, Received


class ProvisioningAnswerError(ValueError):
    """The service answered, but not what was asked: `field` is wrong and `expected` would be right."""

    def __init__(self, field: str, problem: str, expected: str) -> None:
        super().__init__(f"provisioning answer, {field}: {problem}; expected {expected}")
        self.field = field
        self.problem = problem
        self.expected = expected


class ProvisioningItem(Carried):
    """One order line to set up: `quantity` counts seats, devices or sites."""

    line_id: str
    product: str
    quantity: int = Field(gt=0)


class ProvisioningRequest(Carried):
    """Everything of one order that is to be set up; `request_key` makes the request idempotent for ever."""

    request_key: str = Field(min_length=1)
    account_id: str
    order_id: str
    items: tuple[ProvisioningItem, ...] = Field(min_length=1)
    as_of: AwareDatetime


class ProvisionedItem(Received):
    """One order line that is set up; `reference` is the service's own name for it."""

    line_id: str
    status: Literal["active"]
    reference: str = Field(min_length=1)
    quantity: int | None = None
    """repeated by services that report it; it must then be what was ordered"""


class ProvisioningResult(Received):
    """The service's answer: one item for each item of the request, in any order."""

    request_key: str
    items: tuple[ProvisionedItem, ...]


def read_answer(request: ProvisioningRequest, body: bytes) -> ProvisioningResult:
    """The answer in `body` (JSON), checked against `request`.

    Raises ProvisioningAnswerError, which names the first field that is wrong and what would be right.
    """
    try:
        result = ProvisioningResult.model_validate_json(body)
    except ValidationError as error:
        raise _first_problem(error) from None
    check_result(request, result)
    return result


def check_result(request: ProvisioningRequest, result: ProvisioningResult) -> None:
    """Raise ProvisioningAnswerError unless `result` answers `request`: its key, each line once, quantities as ordered."""
    if result.request_key != request.request_key:
        raise ProvisioningAnswerError("request_key", f"got {_short(result.request_key)}", _short(request.request_key))
    ordered = {item.line_id: item for item in request.items}
    for index, item in enumerate(result.items):
        line = ordered.get(item.line_id)
        if line is None:
            known = ", ".join(sorted(ordered))
            raise ProvisioningAnswerError(
                f"items[{index}].line_id", f"unknown line {_short(item.line_id)}", f"one of {known}"
            )
        if item.quantity is not None and item.quantity != line.quantity:
            raise ProvisioningAnswerError(f"items[{index}].quantity", f"got {item.quantity}", str(line.quantity))
    times = Counter(item.line_id for item in result.items)
    for line_id in ordered:
        if times[line_id] != 1:
            problem = f"line {_short(line_id)} is " + (f"there {times[line_id]} times" if times[line_id] else "missing")
            raise ProvisioningAnswerError("items", problem, f"each of the {len(ordered)} lines exactly once")


_EXPECTED = {
    "request_key": "the request_key of the request, a string",
    "items": "a list with one item for each line of the request",
    "line_id": "a line_id of the request, a string",
    "status": '"active"',
    "reference": "the service's own reference of the line, a string that is not empty",
    "quantity": "the ordered quantity, an integer, or no such field",
}


def _first_problem(error: ValidationError) -> ProvisioningAnswerError:
    first = error.errors(include_url=False, include_context=False)[0]
    path = ""
    for part in first["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    path = path.lstrip(".") or "body"
    if first["type"] == "extra_forbidden":
        return ProvisioningAnswerError(path, "unknown field", "only the fields of the contract")
    names = [part for part in first["loc"] if isinstance(part, str)]
    in_items = bool(names) and isinstance(first["loc"][-1], int)
    expected = "a JSON object with request_key and items"
    if in_items:
        expected = "an object with line_id, status and reference"
    elif names:
        expected = _EXPECTED[names[-1]]
    problem = first["msg"] if first["type"] in {"missing", "json_invalid"} else f"got {_short(first['input'])}"
    return ProvisioningAnswerError(path, problem[:1].lower() + problem[1:], expected)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
