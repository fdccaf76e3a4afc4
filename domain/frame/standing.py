"""What an order is to its customer: the one by which they came, one more, or the one by which they came back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum

from domain.frame.customer import PlacedFacts
from domain.frame.keys import about
from domain.frame.situation import Situation
from domain.frame.success_facts import TaskFacts

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Standing(StrEnum):
    """How a customer stood with us when an order was placed."""

    NEW = "new"
    KNOWN = "known"
    BACK = "back"
    """they had been a customer, and owned nothing any more"""


def placed(situation: Situation, order_id: str) -> PlacedFacts | None:
    """The order of that id, if it is of the last year or so."""
    return next((order for order in situation.customer.orders if order.order_id == order_id), None)


def standing(situation: Situation, order_id: str) -> Standing:
    """How the customer stood with us when they placed that order."""
    customer, order = situation.customer, placed(situation, order_id)
    if order is None:
        return Standing.KNOWN if customer.orders else Standing.NEW
    earlier = [one for one in customer.orders if _known(one) < _known(order)]
    if not earlier and customer.day_of(customer.account.since) >= day_of(situation, order):
        return Standing.NEW
    if any(customer.day_of(one.activated_at) == customer.day_of(order.activated_at) for one in earlier):
        return Standing.KNOWN
    held = [asset for asset in customer.assets if asset.asset_id.rpartition(".")[0] != order_id and asset.periods]
    ends = [asset.periods[-1].ends_at for asset in held if asset.periods[0].starts_at <= order.activated_at]
    bought = [one.day for one in customer.purchases if one.order_id != order_id and one.day <= day_of(situation, order)]
    lately = any((day_of(situation, order) - day).days <= 365 for day in bought)
    still = lately or any(end is None or end > order.activated_at for end in ends)
    return Standing.KNOWN if still else Standing.BACK


def _known(order: PlacedFacts) -> tuple[datetime, datetime, str]:
    """Since when we know an order: what was said with the one that came first stands. Ids say nothing of it, SO-10 comes after SO-9."""
    return order.recorded_at or order.activated_at, order.activated_at, order.order_id


def day_of(situation: Situation, order: PlacedFacts) -> date:
    """The local day of an order."""
    return situation.customer.day_of(order.activated_at)


def products_of(situation: Situation, *order_ids: str) -> list[str]:
    """What these orders sold, each product once; all that the customer owns if that is not known any more."""
    found = [name for order_id in order_ids if (order := placed(situation, order_id)) for name in order.names]
    return list(dict.fromkeys(found)) or situation.customer.product_names()


def sent_with(situation: Situation, order_id: str) -> list[str]:
    """What of an order is sent to the customer: goods and devices, each once."""
    order = placed(situation, order_id)
    return (order.sent if order else []) or products_of(situation, order_id)


def together_with(situation: Situation, task: TaskFacts) -> list[TaskFacts]:
    """The same task of other onboardings that is open and due on the same day: whoever is told hears it once, for all of them. One that
    waits for somebody or something is not spoken of."""
    return [
        other
        for other in situation.customer.tasks
        if other.is_open
        and (other.name, other.due_on) == (task.name, task.due_on)
        and other.stage != task.stage
        and other.waits_for is None
        and other.held_at is None
    ]


def speaks(situation: Situation, task: TaskFacts) -> bool:
    """True for the onboarding that speaks for all in which this task is due on that day: that of the order known to us first."""
    return all(_turn(situation, task) < _turn(situation, other) for other in together_with(situation, task))


def _turn(situation: Situation, task: TaskFacts) -> tuple[datetime, datetime, str]:
    """Since when we know the order of an onboarding; one that is not among those of the last year has been known longest."""
    order = placed(situation, about(task.stage))
    return _known(order) if order else (_LONG_AGO, _LONG_AGO, task.stage)
