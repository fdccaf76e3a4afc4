"""A story: the orders of one customer, and how that customer behaves afterwards."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from activities.playbooks import Playbooks
from domain.journey.sale import asset_id_of
from domain.kernel.base import Received
from domain.kernel.refusals import Problem, Refusal
from domain.orders.order import Order, read_order
from workers.rehearsal.acts import Act

STORIES = Path(__file__).parent / "stories"
DEFAULT_STORY = STORIES / "capricorn_coffee.yaml"
LATE_ENOUGH = timedelta(days=7)
MOST_MONTHS = 240

Answer = Literal["accept", "decline", "ignore"]


class UseOf(Received):
    """Use of a product from a day after the first activation on: `share` of the paid seats or so many `users`. It holds until the next entry."""

    from_day: Annotated[int, Field(ge=0)]
    share: Annotated[Decimal, Field(ge=0, le=3)] | None = None
    users: Annotated[int, Field(ge=0)] | None = None
    product: str | None = None
    """null: every subscription"""

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        if (self.share is None) == (self.users is None):
            raise ValueError("give either share (of the paid seats) or users, not both and not none")
        return self


USUAL_LIFE = (
    UseOf(from_day=10, share=Decimal("0.55")),
    UseOf(from_day=60, share=Decimal("0.75")),
    UseOf(from_day=120, share=Decimal("0.25")),
    UseOf(from_day=165, share=Decimal("0.7")),
    UseOf(from_day=210, share=Decimal("0.95")),
    UseOf(from_day=300, share=Decimal("0.8")),
)
"""A start, a dip that calls for help, a recovery, and seats that run short."""


class Ending(Received):
    """The day after the first activation, and the customer's local hour, at which a story ends."""

    day: Annotated[int, Field(ge=1, le=MOST_MONTHS * 31)]
    at: time = time(11)


class Story(Received):
    """Orders and behaviour. What is left out behaves as usual: tasks are done in time, offers and renewals accepted.

    It lasts `months`, or `until` a day and an hour.
    `tasks`: `in_time`, `never`, or the day after activation on which each named task is done (others: never).
    `teams` and `agents` are the seller's people who work on cases, `acts` what else somebody asks on a day.
    `renewals`, `offers`: one answer for all, or one per contract or asset id. `usage`: an empty list means none.
    """

    orders: Annotated[list[dict[str, Any]], Field(min_length=1)]
    months: Annotated[int, Field(ge=1, le=MOST_MONTHS)] = 14
    until: Ending | None = None
    tasks: Literal["in_time", "never"] | dict[str, int] = "in_time"
    usage: list[UseOf] = list(USUAL_LIFE)
    offers: Answer | dict[str, Answer] = "accept"
    renewals: Answer | dict[str, Answer] = "accept"
    decline_reason: str = "price"
    survey_score: Annotated[int, Field(ge=0, le=10)] | None = 9
    teams: list[dict[str, Any]] = []
    agents: list[dict[str, Any]] = []
    acts: list[Act] = []

    def read_orders(self) -> list[Order]:
        """The orders, checked. Raises `Refusal`, also if they are not all of one account."""
        orders = [read_order(document) for document in self.orders]
        accounts = {order.account.account_id for order in orders}
        if len(accounts) > 1:
            raise Refusal("InvalidStory", f"a story is about one account, this one names {', '.join(sorted(accounts))}")
        return sorted(orders, key=lambda order: order.activated_at)


def read_story(path: Path) -> Story:
    """The story in a YAML or JSON file; a file with nothing but an order is a story of that order. Raises `Refusal`."""
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except FileNotFoundError as error:
        raise Refusal("InvalidStory", f"no file {path}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise Refusal("InvalidStory", f"{path} is neither YAML nor JSON: {error}") from error
    if isinstance(document, list):
        document = {"orders": document}
    if not isinstance(document, dict):
        raise Refusal(
            "InvalidStory", f"{path} holds no order: give an order, a list of orders, or orders with their story"
        )
    document = _plain(document)
    if "order" in document and "orders" not in document:
        document = {**{k: v for k, v in document.items() if k != "order"}, "orders": [document["order"]]}
    if "orders" not in document:
        document = {"orders": [document]}
    try:
        return Story.model_validate(document)
    except ValidationError as error:
        raise Refusal.from_validation("InvalidStory", f"{path} cannot be lived", error) from error


def check_story(story: Story, playbooks: Playbooks) -> None:
    """Raises `Refusal` for orders that cannot be placed, and for behaviour that names what they do not have."""
    orders = story.read_orders()
    tasks: set[str] = set()
    problems = []
    for segment in sorted({order.account.segment for order in orders}):
        playbook = playbooks.current(segment)
        if playbook is None:
            known = ", ".join(playbooks.segments())
            problems.append(Problem(field="account.segment", problem=f"no playbook for {segment!r}; there are {known}"))
        else:
            tasks |= {task.name for task in playbook.onboarding.tasks}
    contracts = {contract.contract_id for order in orders for contract in order.contracts}
    assets = {asset_id_of(order, line) for order in orders for line in order.all_lines()}
    if not problems:  # without the playbook nobody knows its tasks
        problems += _not_among("tasks", story.tasks, tasks)
    problems += _not_among("renewals", story.renewals, contracts)
    problems += _not_among("offers", story.offers, assets)
    if problems:
        raise Refusal("InvalidStory", "the story does not fit its orders", problems)


def _not_among(field: str, named: str | Mapping[str, Any], known: Collection[str]) -> list[Problem]:
    """A problem for every key that nothing goes by; one word for all is no mapping."""
    if isinstance(named, str):
        return []
    there_are = f"there are {', '.join(sorted(known))}" if known else "there are none"
    return [Problem(field=f"{field}.{key}", problem=f"is not known; {there_are}") for key in named if key not in known]


def _plain(value: Any) -> Any:
    """YAML's dates and times as the strings that JSON would have."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case datetime() | date():
            return value.isoformat()
        case _:
            return value


def weeks_to_shift(orders: list[Order], now: datetime) -> int:
    """Whole weeks by which orders of the past have to move so that the first lies ahead; 0 for those of today or later."""
    first = min(order.activated_at for order in orders)
    if first >= now - LATE_ENOUGH:
        return 0
    return -((first - now) // timedelta(weeks=1))


def shifted(document: dict[str, Any], weeks: int) -> dict[str, Any]:
    """An order document with its activation and terms moved by whole weeks."""
    if not weeks:
        return document
    by = timedelta(weeks=weeks)
    moved = {**document, "activated_at": _moved_instant(document["activated_at"], by)}
    if "contracts" in document:
        moved["contracts"] = [_moved_contract(contract, by) for contract in document["contracts"]]
    return moved


def _moved_contract(contract: dict[str, Any], by: timedelta) -> dict[str, Any]:
    days = {key: _moved_day(contract["term"][key], by) for key in ("start", "end") if contract["term"].get(key)}
    return {**contract, "term": {**contract["term"], **days}}


def _moved_instant(text: str, by: timedelta) -> str:
    return (datetime.fromisoformat(text) + by).isoformat()


def _moved_day(text: str, by: timedelta) -> str:
    return (date.fromisoformat(text) + by).isoformat()
