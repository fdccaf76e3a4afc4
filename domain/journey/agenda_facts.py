"""What the database knows beside the customer, and planning has to know."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from pydantic import AwareDatetime

from domain.billing.bill import BillLine
from domain.billing.billing import ContractBilling
from domain.contracts.consignments import TransferStatus
from domain.frame.flight import Channel
from domain.frame.keys import StepKey
from domain.frame.situation import Situation
from domain.frame.state import AT_AN_INSTANT, Pause, Step
from domain.journey.comparing import LOOKS
from domain.kernel.base import Carried
from domain.kernel.calendar import local_instant


class OrderFacts(Carried):
    """An accepted order. `imported`: it was taken over, and what was due before `recorded_at` was never acted on."""

    order_id: str
    activated_at: AwareDatetime
    recorded_at: AwareDatetime
    imported: bool = False
    ships: bool = False
    """it sold something that is sent to the customer"""
    over: bool = False
    """the journey was closed after it, and has begun again since"""


class ContractLife(Carried):
    """When a contract came to the customer and how, when its latest term was sold, and when it ended."""

    contract_id: str
    order_id: str | None = None
    origin: str
    recorded_at: AwareDatetime
    term_recorded_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    quoted_at: AwareDatetime | None = None
    """the latest quote for the term after the latest one"""


class QuoteFacts(Carried):
    """A quote that waits: `state` in_approval (asked for at `asked_at`) or presented."""

    quote_id: str
    state: str
    version: int
    valid_until: AwareDatetime
    asked_at: AwareDatetime | None = None


class PromiseFacts(Carried):
    """A line of an order that was ordered from its maker, promised for `promised_at`."""

    order_id: str
    line_id: str
    promised_at: AwareDatetime
    recorded_at: AwareDatetime


class TransferFacts(Carried):
    """Assets that were handed over to another account by the request `request_id`."""

    transfer_id: str
    request_id: str
    status: TransferStatus


class WaitingMessage(Carried):
    """A message that has not left yet, by its id within the account."""

    id: str
    channel: Channel
    since: AwareDatetime


class Announced(Carried):
    """A step that something done at `by` has put on the agenda."""

    step: Step
    by: AwareDatetime


class AnchorFacts(Carried):
    """A day that plays count from and that nothing else here tells of: a `task` of onboarding (`name`) that was done, a change of
    band, a case. `of`: the stage of the task, the case, the moment of the change."""

    anchor: str
    of: str
    name: str = ""
    at: AwareDatetime


class Moved(Carried):
    """What a person's request took off the agenda, and put on it: steps left out, moved, or overdue and planned anew."""

    number: int
    """its place in the order in which things were done"""
    at: AwareDatetime | None = None
    """when it was asked"""
    drop: list[str] = []
    plan: list[Step] = []


class PlannedSince(Carried):
    """What was done after a person had moved steps: it put the steps of the keys `plan` on the agenda, and took `drop` off it."""

    number: int
    plan: dict[str, AwareDatetime] = {}
    """their instants, by their keys"""
    drop: list[str] = []

    def changes(self, key: str, left: Step | None, same: Collection[datetime]) -> bool:
        """True if the step of that key, which a person `left` so, was planned for another instant than the `same`, or taken off."""
        if key in self.plan:
            return left is None or self.plan[key] not in same
        if left is None:
            return False  # it was not there to be taken off
        stage = StepKey.parse(key).stage
        return any(drop in (key, stage) or (drop.endswith("*") and key.startswith(drop[:-1])) for drop in self.drop)


class ZoneFacts(Carried):
    """The customer's zone from an instant on."""

    since: AwareDatetime
    zone: str


class OnRecord(Carried):
    """What the tables say, as they are read. `done`: the instants of all effects, by their keys within the account."""

    recorded_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    paused: Pause | None = None
    """the pause that was asked for last, unless the journey was resumed or closed since"""
    reopened_at: AwareDatetime | None = None
    """when the journey began again after it was closed"""
    last_known: AwareDatetime
    """the latest instant of the customer's own time that is on record"""
    orders: list[OrderFacts] = []
    contracts: list[ContractLife] = []
    quotes: list[QuoteFacts] = []
    promises: list[PromiseFacts] = []
    transfers: list[TransferFacts] = []
    waiting: list[WaitingMessage] = []
    help_since: AwareDatetime | None = None
    help_steps: int = 0
    """how many steps of that help have followed on its mail"""
    renewals: dict[str, str | None] = {}
    """what was said last of the stages of renewals: their statuses, null for one that was closed"""
    overdue: bool = False
    """an invoice is overdue"""
    adopted_until: AwareDatetime | None = None
    """when adoption was over last, with the last contract of then"""
    zones: list[ZoneFacts] = []
    """in the order of time"""
    done: dict[str, AwareDatetime] = {}
    announced: list[Announced] = []
    moved: list[Moved] = []
    """in the order in which it was asked"""
    planned: list[PlannedSince] = []
    """in the order in which it was done"""
    playbook_since: AwareDatetime | None = None
    """since when the customer has the version of the playbook that they have, if not from the beginning"""
    anchors: list[AnchorFacts] = []
    """of customers whose playbook has plays"""


@dataclass(frozen=True)
class Facts:
    """All that an agenda follows from. The situation holds the asset ledger, and what a review of holds looks at."""

    situation: Situation
    record: OnRecord
    now: datetime
    """what time it is for the customer; later than the situation's instant if they are paused"""
    billing: Mapping[str, ContractBilling] = field(default_factory=dict)
    """how each contract is invoiced, with all its terms"""
    billed: Mapping[str, Sequence[BillLine]] = field(default_factory=dict)
    """what was charged and credited, by asset"""

    @cached_property
    def by_hand(self) -> dict[str, Step | None]:
        """The steps that people moved (null: left out), and those that a resumed journey planned anew, until they are planned again."""
        left: dict[str, Step | None] = {}
        done: list[Moved | PlannedSince] = [*self.record.moved, *self.record.planned]
        for one in sorted(done, key=lambda one: one.number):
            if isinstance(one, Moved):
                left |= dict.fromkeys(one.drop) | {step.key: step for step in one.plan if not _follows(step, one.drop)}
            else:
                left = {key: step for key, step in left.items() if not one.changes(key, step, self._instants(step))}
        return left

    def zone_at(self, at: datetime) -> str:
        """The customer's zone at an instant."""
        zones = [one.zone for one in self.record.zones if one.since <= at] or [z.zone for z in self.record.zones[:1]]
        return zones[-1] if zones else self.situation.customer.account.time_zone

    def here(self, step: Step) -> Step:
        """A step that was planned for nine o'clock where the customer was then, at nine where they are now."""
        here = local_instant(step.on, self.situation.customer.account.time_zone)
        return step.having(at=here) if here in self._instants(step) else step

    def _instants(self, step: Step | None) -> set[datetime]:
        """The instants that are the same for a step: of one that comes at nine, nine o'clock wherever the customer has been."""
        if step is None:
            return set()
        zones = {one.zone for one in self.record.zones} | {self.situation.customer.account.time_zone}
        mornings = {local_instant(step.on, zone) for zone in zones}
        return mornings if step.kind not in AT_AN_INSTANT and step.at in mornings else {step.at}

    def as_left(self, step: Step) -> Step:
        """A step as people, or what put it off, left it; itself if they left it alone or out."""
        return self.by_hand.get(step.key) or step

    def done(self, key: str) -> datetime | None:
        """When the step under `key` was done, or null."""
        return self.record.done.get(key)

    def lacks(self, key: str) -> bool:
        """True for what a journey says it has done and the database does not know: it is older than the journey."""
        return bool(key) and "#" not in key and self.done(key) is None

    def last_done(self, prefix: str) -> tuple[str, datetime] | None:
        """The step done last of those whose key begins with `prefix`."""
        found = [(at, key) for key, at in self.record.done.items() if key.startswith(prefix)]
        if not found:
            return None
        at, key = max(found)
        return key, at

    def left_out(self, prefix: str) -> list[tuple[datetime, str]]:
        """The keys with this beginning of steps that people, or a journey that was resumed, left out for good, and when."""
        return [
            (asked.at or self.record.recorded_at, key)
            for asked in self.record.moved
            for key in asked.drop
            if key.startswith(prefix)
        ]

    def order(self, order_id: str) -> OrderFacts | None:
        """The order of that id."""
        return next((order for order in self.record.orders if order.order_id == order_id), None)

    def life(self, contract_id: str) -> ContractLife | None:
        """When the contract came, and how."""
        return next((life for life in self.record.contracts if life.contract_id == contract_id), None)

    def announced(self, *kinds: str) -> list[Announced]:
        """The steps of these kinds that were put on the agenda, are not done, and were not taken off with one that was left out."""
        return [
            one
            for one in self.record.announced
            if one.step.kind in kinds and self.done(one.step.key) is None and not self._taken_along(one)
        ]

    def _taken_along(self, one: Announced) -> bool:
        return any(
            drop.endswith("*") and one.step.key.startswith(drop[:-1]) and asked.at is not None and one.by <= asked.at
            for asked in self.record.moved
            for drop in asked.drop
        )


def _follows(step: Step, drop: Collection[str]) -> bool:
    """True for what nobody chose: a look at holds, and the anniversary after one that is left out."""
    return step.kind in LOOKS or (
        step.kind == "relationship_anniversary" and any(key.startswith(f"{step.stage}/") for key in drop)
    )
