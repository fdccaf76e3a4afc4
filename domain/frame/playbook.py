"""Playbooks: what is promised to the customers of a segment, and when. Data, not code: one YAML file per segment."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from domain.frame.dunning_ladder import DunningLadder
from domain.frame.people_plays import PEOPLE
from domain.frame.plays import MOST_PLAYS, OF_PEOPLE, Play, PlayAnchor
from domain.frame.renewal_promises import Ladder, SaveOffer
from domain.kernel.base import Received
from domain.kernel.money import CurrencyCode, Money
from domain.orders.order import Text

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Days = Annotated[int, Field(ge=0, le=3650)]
Share = Annotated[Decimal, Field(gt=0, le=10)]
Titles = dict[str, str]
"""A title per language; `en` is always there."""


class RoleLimit(Received):
    """What a role may give: per cent off a line, and in all off a quote, where its currency is named in `amounts`."""

    role: Text
    percent: Annotated[Decimal, Field(ge=0, le=100)]
    amounts: tuple[Money, ...] = ()

    def covers(self, percent: Decimal, total: Money) -> bool:
        limits = [money.amount for money in self.amounts if money.currency == total.currency]
        return percent <= self.percent and all(total.amount <= limit for limit in limits)


class TaskOwner(StrEnum):
    """Who has to do an onboarding task."""

    OWNER = "owner"
    SUCCESS_MANAGER = "success_manager"
    CUSTOMER = "customer"
    SYSTEM = "system"


class OnboardingTask(Received):
    """One milestone of onboarding. All days count from the order's activation, in the customer's zone.

    `invite_after`: when the customer is written to about it (none: never). `due_after`: when it should be done.
    A reminder goes out `remind_before` days ahead of the due date, another one on each of the days `remind_again` past it, and then
    a person takes over: it escalates to the owner `escalate_after` days past it. `after`: tasks that come first; while one of them is
    open, nobody is asked for this one, and what it is late by moves the date of this one.
    A task of the system completes itself: `welcome` by its mail, `provisioning` by the provisioning service's answer.
    """

    name: Name
    title: Titles
    owner: TaskOwner
    due_after: Days
    invite_after: Days | None = None
    remind_before: Days = 2
    remind_again: Annotated[tuple[Annotated[int, Field(ge=1, le=90)], ...], Field(max_length=5)] = (2,)
    escalate_after: Days = 5
    provisions: bool = False
    after: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _has_english_title(self) -> Self:
        if "en" not in self.title:
            raise ValueError(f"task {self.name!r} needs an English title (title.en)")
        if self.invite_after is not None and self.invite_after > self.due_after:
            raise ValueError(
                f"task {self.name!r} invites on day {self.invite_after}, after it is due on day {self.due_after}"
            )
        if list(self.remind_again) != sorted(set(self.remind_again)):
            raise ValueError(f"task {self.name!r}: remind_again must rise, each day once")
        late = [day for day in self.remind_again if day >= self.escalate_after]
        if late and "remind_again" in self.model_fields_set:
            raise ValueError(
                f"task {self.name!r} reminds again {late[0]} days past its date, when it has escalated after {self.escalate_after}"
            )
        return self


class Onboarding(Received):
    """The milestones from the sale to the first value and go-live. Touches are short mails on fixed days after activation."""

    tasks: tuple[OnboardingTask, ...] = ()
    touch_days: dict[Name, Days] = {}
    anniversaries: bool = True
    value_task: Name | None = None
    """the task whose completion is the customer's first value: time to value ends here"""
    last_task: Name | None = None
    """the task whose completion is go-live: it starts the survey"""
    blocked_days: Annotated[int, Field(ge=1, le=60)] = 5
    """business days for which a task may wait for somebody before it is a risk, which is a person's task"""

    def task(self, name: str) -> OnboardingTask | None:
        """The task of that name."""
        return next((task for task in self.tasks if task.name == name), None)

    @model_validator(mode="after")
    def _comes_to_an_end(self) -> Self:
        for task in self.tasks:
            for name in task.after:
                first = self.task(name)
                if first is None:
                    known = ", ".join(task.name for task in self.tasks)
                    raise ValueError(f"task {task.name!r} comes after {name!r}, but the tasks are {known}")
                if first.due_after > task.due_after:
                    raise ValueError(
                        f"task {task.name!r} is due on day {task.due_after}, before {name!r}, after which it comes (day {first.due_after})"
                    )
            if task.name in (coming := self.first_of(task.name)):
                raise ValueError(f"task {task.name!r} waits for itself, by way of {', '.join(sorted(coming))}")
        return self

    def first_of(self, name: str) -> frozenset[str]:
        """The names of all tasks that come before the one of that name, at first hand or by others."""
        found: set[str] = set()
        left = [name]
        while left:
            task = self.task(left.pop())
            new = set(task.after) - found if task else set()
            found |= new
            left += new
        return frozenset(found)


class Help(StrEnum):
    """A step of help for a customer who uses too little of what they pay for."""

    MAIL = "mail"
    CALL = "call"
    TRAINING = "training"
    PLAN = "plan"


class Adoption(Received):
    """Check-ins every `every_days` after go-live, or from `latest_start` days after activation if go-live does not come.

    `low`: share of the paid seats in use under which the customer is helped; `recovered`: share from which that help ends.
    `write_every_days`: a check-in that finds all as it should be is written to the customer only so many days after they heard of their
    use from us (null: each is). `follow_up_days`: when the help is looked at again. Usage older than `stale_days` counts as unknown.
    """

    every_days: Annotated[int, Field(ge=1, le=366)]
    write_every_days: Annotated[int, Field(ge=1, le=366)] | None = None
    latest_start: Days = 60
    low: Share = Decimal("0.4")
    recovered: Share = Decimal("0.5")
    follow_up_days: Annotated[int, Field(ge=1, le=90)] = 14
    help: tuple[Help, ...] = (Help.MAIL, Help.CALL, Help.TRAINING, Help.PLAN)
    """the steps of help, one at each look that finds it has not helped; the last one is a task that stays until it is settled"""
    stale_days: Annotated[int, Field(ge=1, le=366)] = 35
    survey_after: Days | None = 14
    """days from go-live to the question whether they would recommend us, which comes again every half year; null: nobody is asked"""
    effort_after: Days | None = None
    """days from go-live to the question how easy it was to begin, which comes once; null: nobody is asked"""

    @model_validator(mode="after")
    def _begins_with_a_mail(self) -> Self:
        if self.help[:1] != (Help.MAIL,) or len(set(self.help)) != len(self.help):
            raise ValueError("help begins with a mail and has each step once, such as [mail, call, training, plan]")
        return self


Percent = Annotated[Decimal, Field(ge=0, le=100)]


class EarnedDiscount(Received):
    """The discount on a renewal that the owner is told to consider, in percent for each case of the last year that went badly.

    Nothing is ever taken off by itself. A `cap` of 0 proposes none.
    """

    late_resolution: Percent = Decimal(2)
    reopened: Percent = Decimal(1)
    low_rating: Percent = Decimal(2)
    cap: Percent = Decimal(5)


class Renewal(Received):
    """Notices `notice_days` before the term ends; the one at `quote_days` (and any later one) carries the quote.

    Whoever's contract renews by itself has the quote `lead_days` before the last day on which they can say no: where no notice
    falls into that time, there is one more.
    """

    notice_days: tuple[Annotated[int, Field(ge=1, le=366)], ...]
    quote_days: Annotated[int, Field(ge=1, le=366)]
    lead_days: Annotated[int, Field(ge=1, le=180)] = 14
    grace_days: Days = 15
    earned: EarnedDiscount = EarnedDiscount()
    terms: tuple[Annotated[int, Field(ge=1, le=240)], ...] = (12, 24, 36)
    """lengths in months that are offered beside the contract's own"""
    ladder: Ladder = Ladder()
    save: SaveOffer | None = None
    """what whoever declines may be offered to stay; null: nothing by itself"""
    export_days: Days | None = None
    """so many days after a contract's last day its customer can ask for an export of their data; null: no such day is promised"""
    win_back_after: Annotated[int, Field(ge=0, le=366)] = 90
    """so many days after their last contract has ended somebody looks whether a customer wants to come back; 0: nobody does"""

    @model_validator(mode="after")
    def _has_a_notice_with_the_quote(self) -> Self:
        if list(self.notice_days) != sorted(set(self.notice_days), reverse=True):
            raise ValueError("notice_days must fall: the earliest notice first, each day once")
        if not any(days <= self.quote_days for days in self.notice_days):
            raise ValueError(
                f"no notice is left to carry the quote: one of notice_days must be at most {self.quote_days}"
            )
        return self


class Expansion(Received):
    """An offer when the share of paid seats in use reaches `threshold` and the customer is healthy."""

    threshold: Share = Decimal("0.9")
    headroom: Share = Decimal("0.8")
    """the offer brings the share in use down to this"""
    quiet_days: Days = 60
    """no second offer within these days"""
    expires_after: Annotated[int, Field(ge=1, le=180)] = 30
    not_before_end_days: Days = 30
    """no offer this close to the end of the term: the renewal talks about seats then"""
    ready: Annotated[int, Field(ge=1, le=100)] = 60
    """the readiness from which the owner is told that a customer may be asked for more"""
    decide_within: Annotated[int, Field(ge=1, le=60)] = 7
    """days in which the owner then has to do so, or to say why not"""


class Reorder(Received):
    """For goods: a check-in when the customer's own order rhythm has passed, an alarm when they seem to have left."""

    first_rhythm_days: Annotated[int, Field(ge=1, le=366)] = 60
    """taken as the rhythm until a customer has ordered twice"""
    shortest_days: Annotated[int, Field(ge=1, le=366)] = 14
    longest_days: Annotated[int, Field(ge=1, le=732)] = 180
    lapse_factor: Annotated[Decimal, Field(gt=1, le=10)] = Decimal("2")
    """the alarm comes after this many rhythms without an order"""


class DeliveryRules(Received):
    """What is sent to the customer: so many days after the order they are asked whether everything has arrived (null: never)."""

    follow_up_after: Annotated[int, Field(ge=1, le=180)] | None = 14


class AmendmentRules(Received):
    """Changes of what a customer owns."""

    allow_backdating: bool = False
    """whether a change may count from a day before the one on which it is asked for"""


class Quoting(Received):
    """Quotes: which role may give which discount, the least first, and how long an approval or an answer is waited for.

    A discount beyond its maker's limit waits for the next role that may give it: a reminder after `remind_after` days, an end
    without approval after `give_up_after`.
    """

    limits: tuple[RoleLimit, ...] = (
        RoleLimit(role="sales", percent=Decimal(10)),
        RoleLimit(role="manager", percent=Decimal(25)),
        RoleLimit(role="director", percent=Decimal(100)),
    )
    remind_after: Annotated[int, Field(ge=1, le=90)] = 2
    give_up_after: Annotated[int, Field(ge=2, le=180)] = 7
    valid_days: Annotated[int, Field(ge=1, le=366)] = 30

    def rank_of(self, role: str | None) -> int:
        """The place of a role among the ascending limits; -1 if it has none."""
        return next((place for place, limit in enumerate(self.limits) if limit.role == role), -1)

    @model_validator(mode="after")
    def _reminds_before_it_gives_up(self) -> Self:
        if self.remind_after >= self.give_up_after:
            raise ValueError("remind_after must be less than give_up_after")
        return self


class ServiceSales(Received):
    """What service may sell in a case: up to so much, by currency; nothing in a currency that is not named."""

    agent_limits: dict[CurrencyCode, Annotated[Decimal, Field(ge=0)]] = {
        "EUR": Decimal(1000),
        "GBP": Decimal(1000),
        "JPY": Decimal(150_000),
        "USD": Decimal(1000),
    }


class StaffTaskRules(Received):
    """What our people are asked to do: for how many days, at most, somebody lets a task rest."""

    snooze_days: Annotated[int, Field(ge=1, le=366)] = 30


class Playbook(Received):
    """The promises to one segment. `version` must rise with every change: journeys keep the version that they were planned with."""

    segment: Name
    version: Annotated[int, Field(ge=1)]
    title: str
    onboarding: Onboarding = Onboarding()
    adoption: Adoption
    renewal: Renewal
    expansion: Expansion = Expansion()
    reorder: Reorder = Reorder()
    delivery: DeliveryRules = DeliveryRules()
    amendment: AmendmentRules = AmendmentRules()
    quoting: Quoting = Quoting()
    service: ServiceSales = ServiceSales()
    staff_tasks: StaffTaskRules = StaffTaskRules()
    dunning: DunningLadder = DunningLadder()
    plays: Annotated[tuple[Play, ...], Field(max_length=MOST_PLAYS)] = ()
    """steps of the playbook's own"""
    people: Annotated[tuple[Play, ...], Field(max_length=MOST_PLAYS)] = PEOPLE
    """plays for when people change: ours who look after the customer, or theirs"""

    @property
    def named(self) -> str:
        """Its segment and version, such as `standard 3`."""
        return f"{self.segment} {self.version}"

    @property
    def every_play(self) -> tuple[Play, ...]:
        """All plays, those for when people change included."""
        return (*self.plays, *self.people)

    @model_validator(mode="after")
    def _names_its_tasks(self) -> Self:
        names = [task.name for task in self.onboarding.tasks]
        if len(names) != len(set(names)):
            raise ValueError("onboarding names a task twice; each needs a name of its own")
        plays = [play.name for play in self.every_play]
        if twice := sorted({name for name in plays if plays.count(name) > 1}):
            raise ValueError(f"play {twice[0]!r} is there twice; each needs a name of its own")
        if other := next((play for play in self.people if play.anchor not in OF_PEOPLE), None):
            known = ", ".join(sorted(OF_PEOPLE))
            raise ValueError(f"play {other.name!r} counts from {other.anchor.value}; people are plays of {known}")
        for play in self.plays:
            needed = {PlayAnchor.FIRST_VALUE: "value_task", PlayAnchor.GO_LIVE: "last_task"}.get(play.anchor)
            if needed and getattr(self.onboarding, needed) is None:
                said = f"play {play.name!r} counts from {play.anchor.value}, which never comes: onboarding.{needed} is missing"
                raise ValueError(said)
        for field in ("value_task", "last_task"):
            named = getattr(self.onboarding, field)
            if named is not None and named not in names:
                raise ValueError(f"onboarding.{field} names {named!r}, but the tasks are {', '.join(names) or 'none'}")
        return self
