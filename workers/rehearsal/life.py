"""Living a story: week by week the customer's clock is moved, and the customer does what the story says, through the public clients."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from activities.journey import reports
from activities.journey.attending import Attending
from activities.kernel.pool import Pool
from domain.frame.flight import DeliveryStatus
from domain.frame.keys import about
from domain.frame.sales_holds import SurveyKind
from domain.kernel.calendar import add_months, business_day_from, local_day, local_instant
from domain.kernel.money import half_up
from domain.kernel.refusals import Refusal
from domain.orders.order import Order
from domain.success.usage import UsageRow
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from workers.rehearsal.acts import Scheduled, scheduled
from workers.rehearsal.letters import PostOffice
from workers.rehearsal.story import Answer, Story, UseOf

TICK = timedelta(days=7)
THINKING = timedelta(days=3)
"""How long the customer takes to answer an offer, a quote or a survey."""
WORKDAY_USE = (100, 102, 101, 99, 95)
"""Active users from Monday to Friday, in percent of a usual day; weekends are not reported."""


@dataclass
class Moment:
    """What is shown after each tick."""

    at: datetime
    new_lines: list[dict[str, Any]]
    mails: int
    health: str
    stages: list[str]
    share_done: float
    refused: list[str]


@dataclass
class Life:
    """One customer's life, lived on the running stack."""

    client: PerennialClient
    pool: Pool
    story: Story
    orders: list[Order]
    documents: list[dict[str, Any]]
    on_moment: Callable[[Moment], None]
    post: PostOffice | None = None
    attending: Attending | None = None
    """tells our people what they have to do, as a batch does for customers in real time; null: nobody does"""
    start: datetime = field(init=False)
    end: datetime = field(init=False)
    _seen: int = field(default=0, init=False)
    _mails: int = field(default=0, init=False)
    _reported: date = field(init=False)

    def __post_init__(self) -> None:
        first = self.orders[0]
        self.account_id = first.account.account_id
        self.zone = first.account.time_zone
        self._country = first.account.country
        self.start = first.activated_at
        self._first_day = local_day(self.start, self.zone)
        self.end = self._ends()
        self._reported = self._first_day
        self._acts = scheduled(self.story.acts, self._first_day, self.zone)
        self._said: list[str] = []
        self.cases = CaseClient(self.client.temporal, self.pool)

    def _ends(self) -> datetime:
        if (until := self.story.until) is not None:
            return local_instant(self._first_day + timedelta(days=until.day), self.zone, until.at)
        last_day = add_months(self._first_day, self.story.months)
        return self.start + timedelta(days=(last_day - self._first_day).days)

    async def live(self) -> None:
        """From the first order to the end of the story."""
        for team in self.story.teams:
            await self.cases.put_team(team)
        for agent in self.story.agents:
            await self.cases.put_agent(agent)
        waiting = list(zip(self.orders, self.documents, strict=True))
        await self.client.place_order(waiting.pop(0)[1])
        now = max(self.start, await self.client.now(self.account_id))
        self.start = now
        await self._show(now)
        while now < self.end:
            ahead = (order.activated_at for order, _ in waiting if order.activated_at > now)
            until = min(now + TICK, self.end, *ahead, *(scheduled.at for scheduled in self._acts[:1]))
            now = await self._forward(now, until)
            if not await self.client.is_running(self.account_id):
                break
            while waiting and waiting[0][0].activated_at <= now:
                await self.client.place_order(waiting.pop(0)[1])
            while self._acts and self._acts[0].at <= now:
                await self._act(self._acts.pop(0))
            await self._behave(now)
            await self.client.score_health(self.account_id)
            await self.client.look_at_renewals(self.account_id)
            await self._show(now)
        self.end = now

    async def _forward(self, now: datetime, until: datetime) -> datetime:
        """To `until`, with a stop on the morning of a Monday in between, on which our people read what their week holds."""
        today = local_day(now, self.zone)
        monday = today + timedelta(days=7 - today.weekday())
        for at in (local_instant(business_day_from(monday, self._country), self.zone), until):
            if now < at <= until:
                now = await self.client.fast_forward_to(self.account_id, at)
                if self.attending is not None:
                    await self.attending.attend_to(now, self.account_id)
        return now

    async def _act(self, scheduled: Scheduled) -> None:
        """Asks what the story says; what it says will be refused has to be, with that refusal."""
        act = scheduled.act
        try:
            await self._ask(scheduled)
        except Refusal as refusal:
            if refusal.type != act.refused:
                raise Refusal(
                    "InvalidStory", f"day {act.day}: {act.name} was refused: {refusal}", list(refusal.problems)
                ) from refusal
            self._said.append(f"{act.name}: {refusal}")
        else:
            if act.refused is not None:
                raise Refusal(
                    "InvalidStory", f"day {act.day}: {act.name} was to be refused ({act.refused}), and was not"
                )

    async def _ask(self, scheduled: Scheduled) -> None:
        act, document = scheduled.act, scheduled.document
        if act.mail is not None:
            if self.post is None:
                raise Refusal("InvalidStory", f"day {act.day}: nobody takes mails here")
            await self.post.send(act.mail, self.account_id, scheduled.at)
        elif act.price is not None:
            await self.client.publish_prices(document, as_of=scheduled.at)
        elif act.case is None:
            await self.client.ask(self.account_id, act.name, document)
        elif act.open is not None:
            await self.cases.open_case({"account_id": self.account_id, **document, "case_id": act.case})
        else:
            await self.cases.ask(act.case, act.name, document)

    async def _behave(self, now: datetime) -> None:
        """What the customer and the people in charge do in this week."""
        today = local_day(now, self.zone)
        await self._report_usage(now, today)
        async with self.pool.acquire() as connection:
            tasks = await reports.open_tasks(connection, self.account_id)
            offers = await reports.open_offers(connection, self.account_id, now - THINKING)
            quotes = await reports.open_quotes(connection, self.account_id, now - THINKING)
            surveys = await reports.open_surveys(connection, self.account_id, now - THINKING)
        for task in tasks:
            if self._does(task, today):
                request = {
                    "task": task["name"],
                    "order_id": about(task["stage"]),
                    "by": "rehearsal",
                    "evidence": "done as the story has it",
                }
                await self.client.ask(self.account_id, "complete_task", request)
        for offer_id in offers:
            await self._answer("answer_offer", {"offer_id": offer_id}, self._answer_to_offer(offer_id))
        answers = [
            (contract, _answer_for(self.story.renewals, contract)) for contract in (q["contract_id"] for q in quotes)
        ]
        # Whoever has read of several renewals in one mail answers in one sitting.
        await asyncio.gather(*(self._answer("answer_renewal", {"contract_id": id}, answer) for id, answer in answers))
        if self.story.survey_score is not None:
            for survey_id in surveys:
                score = self.story.survey_score
                if survey_id.startswith(f"{SurveyKind.CES}-"):  # from 1 to 7
                    score = max(1, min(score, 7))
                request = {"survey_id": survey_id, "score": score, "by": "rehearsal"}
                await self.client.ask(self.account_id, "answer_survey", request)

    def _does(self, task: dict[str, Any], today: date) -> bool:
        if self.story.tasks == "never":
            return False
        if self.story.tasks == "in_time":
            due: date = task["due_on"]
            return today + TICK > due
        day = self.story.tasks.get(task["name"])
        return day is not None and (today - self._first_day).days >= day

    def _answer_to_offer(self, offer_id: str) -> Answer:
        if isinstance(self.story.offers, str):
            return self.story.offers
        named = [asset for asset in self.story.offers if _is_for(offer_id, asset)]
        return self.story.offers[named[0]] if named else "accept"

    async def _answer(self, update: str, request: dict[str, Any], answer: Answer) -> None:
        if answer == "ignore":
            return
        reason = self.story.decline_reason if answer == "decline" else ""
        await self.client.ask(
            self.account_id, update, {**request, "decision": answer, "reason": reason, "by": "rehearsal"}
        )

    async def _report_usage(self, now: datetime, today: date) -> None:
        """The working days since the last report, as the story has them."""
        if not self.story.usage:
            return
        async with self.pool.acquire() as connection:
            seats = await reports.seats_at(connection, self.account_id, now)
        rows = []
        day = self._reported + timedelta(days=1)
        while day <= today:
            if day.weekday() < 5:
                rows += [row for product, paid in seats.items() if (row := self._use_on(day, product, paid))]
            day += timedelta(days=1)
        self._reported = today
        if rows:
            await self.client.record_usage(rows)

    def _use_on(self, day: date, product: str, seats: int) -> UsageRow | None:
        passed = (day - self._first_day).days
        fitting = [use for use in self.story.usage if use.from_day <= passed and use.product in (None, product)]
        if not fitting:
            return None
        use = max(fitting, key=lambda use: (use.product is not None, use.from_day))
        users = Decimal(_users(use, seats) * WORKDAY_USE[day.weekday()]) / 100
        return UsageRow(
            account_id=self.account_id,
            product=product,
            day=day,
            active_users=int(half_up().apply(users)),
        )

    async def _show(self, now: datetime) -> None:
        async with self.pool.acquire() as connection:
            lines = await reports.journal_of(connection, self.account_id, self._seen)
            mails = await reports.sent_to_customer(connection, self.account_id)
            health = await reports.health_of(connection, self.account_id)
            stages = await reports.open_stages(connection, self.account_id)
        if lines:
            self._seen = lines[-1]["journal_id"]
        last = health[-1] if health else None
        words = (
            "not scored yet"
            if last is None
            else f"{'' if last['score'] is None else last['score']} {last['band']}".strip()
        )
        share = (now - self.start) / (self.end - self.start) if self.end > self.start else 1.0
        sent = sum(mail["status"] == DeliveryStatus.SENT for mail in mails)
        said, self._said = self._said, []
        self.on_moment(Moment(now, lines, sent, words, stages, min(1.0, share), said))


def _is_for(offer_id: str, asset_id: str) -> bool:
    """True for an offer of more of this asset: its id ends with the asset and the day."""
    return re.fullmatch(rf"offer-{re.escape(asset_id)}-\d{{4}}-\d\d-\d\d", offer_id) is not None


def _users(use: UseOf, seats: int) -> int:
    if use.users is not None:
        return use.users
    return int(half_up().apply(Decimal(seats) * (use.share or 0)))


def _answer_for(answers: Answer | dict[str, Answer], key: str) -> Answer:
    return answers if isinstance(answers, str) else answers.get(key, "accept")
