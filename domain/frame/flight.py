"""Messages on their way out: where they go, and what a workflow that sends them carries of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime

from domain.kernel.base import Carried


class Channel(StrEnum):
    """Where a delivery leaves the company; the value names the activity that takes it there."""

    MAIL = "deliver_mail"
    NOTICE = "deliver_notice"
    PROVISIONING = "provision"
    WEBHOOK = "deliver_webhook"
    CONVEYANCE = "convey_assets"


class DeliveryStatus(StrEnum):
    """Where a message stands: it waits to leave, is held back, has left, was refused, or is not wanted any more."""

    WAITING = "waiting"
    HELD = "held"
    SENT = "sent"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


TOGETHER = "deliver_together"
"""The activity that takes out at once what was written at one instant."""
LEAVE_TOGETHER = frozenset({Channel.MAIL, Channel.NOTICE})
"""What goes to the mail server, and of which several may leave in one activity."""


class Delivery(Carried):
    """Something on its way out: its id within the account, its channel, and since when. `stuck`: it failed for good and waits
    for a person; `late`: it could not leave within the hour, which has been said, and is tried again."""

    id: str
    channel: Channel
    since: AwareDatetime
    stuck: bool = False
    late: bool = False


class DeliveryCall(Carried):
    """The input of a delivery's activity; `delivery_id` is unique within the account."""

    account_id: str
    delivery_id: str
    as_of: AwareDatetime
    late: bool = False
    """true once it was said that it cannot leave: from then on it is tried for as long as it takes"""


class TogetherCall(Carried):
    """The input of the activity that takes out several deliveries at once: their channels by their ids."""

    account_id: str
    deliveries: dict[str, Channel]
    as_of: AwareDatetime

    def alone(self, delivery_id: str) -> DeliveryCall:
        """The call of one of them."""
        return DeliveryCall(account_id=self.account_id, delivery_id=delivery_id, as_of=self.as_of)


class Flying(Carried):
    """What a journey and a case carry from run to run: their messages on the way, what needs a person and why, the latest lines of
    the journal, and how many runs there were."""

    in_flight: list[Delivery] = []
    attention: dict[str, str] = {}
    said: list[str] = []
    runs: int = 1

    def delivered(self, delivery_id: str) -> Self:
        """Without a delivery that has reached its end. One that is on its way again already stays."""
        ended = next((n for n, delivery in enumerate(self.in_flight) if delivery.id == delivery_id), None)
        attention = {key: why for key, why in self.attention.items() if key != f"delivery:{delivery_id}"}
        flight = [d for n, d in enumerate(self.in_flight) if n != ended]
        return self.having(in_flight=flight, attention=attention)

    def late(self, delivery_id: str, why: str) -> Self:
        """With a delivery that could not leave within the hour, and why, where people look for it."""
        return self._marked(delivery_id, "late", f"delivery:{delivery_id}", why)

    def stuck(self, delivery_id: str, why: str) -> Self:
        """With a delivery set aside until somebody asks to try again."""
        return self._marked(delivery_id, "stuck", f"stuck:{delivery_id}", why)

    def _marked(self, delivery_id: str, mark: str, reason: str, why: str) -> Self:
        flight = [d.having(**{mark: True}) if d.id == delivery_id else d for d in self.in_flight]
        return self.having(in_flight=flight, attention={**self.attention, reason: why})

    def freed(self, *settled: str, alone: str | None = None) -> Self:
        """With every stuck delivery on its way again, or `alone` of them, and without what needed a person for a reason that begins like
        `settled`."""
        flight = [d.having(stuck=False) if alone in (None, d.id) else d for d in self.in_flight]
        kept = {
            key: why
            for key, why in self.attention.items()
            if not key.startswith(settled)
            and (not key.startswith("stuck:") or alone not in (None, key.removeprefix("stuck:")))
        }
        return self.having(in_flight=flight, attention=kept)
