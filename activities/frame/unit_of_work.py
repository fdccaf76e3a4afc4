"""The unit of work: lock, look up, load, decide, write, bill and record, once under a business key, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from temporalio import activity

from activities.frame import customers, effects, outbox, situations
from activities.frame.customers import Seen
from activities.frame.errors import business_errors
from activities.frame.outgoing import Origin, Sender
from activities.frame.pacing import paced_decision
from activities.frame.situations import load_situation, naming
from activities.frame.writing import carry_out
from activities.journey.agenda_facts import people_since, plays_ahead
from activities.kernel import news
from activities.kernel.computing import computed, extent_of
from activities.kernel.gathering import Gathered
from activities.kernel.pool import Connection, Pool
from activities.mail.signing import Signing
from activities.mail.vouching import Vouching
from activities.success import scoring
from domain.frame.calls import RequestCall, StepCall
from domain.frame.decision import Decision
from domain.frame.keys import contract_of, effect_key, within_account
from domain.frame.messages import Issuer
from domain.frame.request_kinds import RequestKind
from domain.frame.situation import NOTHING, Breadth, Needs, Situation
from domain.frame.state import Outcome, Step
from domain.frame.unread import NO_CONTRACT, NotReadError, Unread, known_of
from domain.frame.unreadable import Missing
from domain.kernel.fingerprints import Asked
from domain.kernel.ids import journey_id
from domain.kernel.refusals import named_refusals
from domain.kernel.requests import Request

_Subject = TypeVar("_Subject")

Decided = Decision | tuple[Situation, Decision]
"""A decision; with the situation that it leads to, if mails and invoices go by that."""


# What a unit reads is found by the ids of its account: no plan is better for one account than for another, and the long statements
# take the server longer to plan than to carry out.
_BEGIN = "begin; set local plan_cache_mode = force_generic_plan"


def request_key(call: RequestCall) -> str:
    """The key of a request: the name of its activity, and its id."""
    return effect_key(call.account_id, f"{activity.info().activity_type}:{call.request_id}")


@dataclass(frozen=True)
class Unit:
    """What is done once: for whom, under which key, at which instant, and what the journal calls it.

    `asked`: the fingerprint of the request; something else under the same key is refused. `others`: further accounts that it concerns.
    `planned`: it is a step of the agenda.
    """

    account_id: str
    key: str
    as_of: datetime
    stage: str
    kind: str
    run: str = ""
    actor: str | None = None
    asked: Asked | None = None
    others: tuple[str, ...] = ()
    planned: bool = False

    @property
    def name(self) -> str:
        """The key within the account, such as `amend_assets:r-7`."""
        return within_account(self.account_id, self.key)

    @classmethod
    def of_step(cls, call: StepCall, run: str = "") -> Unit:
        """A step of the agenda."""
        step, key = call.step, effect_key(call.account_id, call.step.key)
        return cls(call.account_id, key, call.as_of, step.stage, step.kind, run, planned=True)

    @classmethod
    def of_request(cls, call: RequestCall, request: Request, stage: str, kind: str | None = None) -> Unit:
        """A request, under the name of its activity and its id."""
        return cls(
            call.account_id,
            request_key(call),
            call.as_of,
            stage,
            kind or activity.info().activity_type,
            "again" if call.repeated else call.run,
            request.by,
            request.asked(call.request_id),
            request.others(),
        )


@dataclass(frozen=True)
class UnitOfWork:
    """The transaction in which a unit is done; its accounts are held from before the first read.

    `before`: what is answered if it was done before; nothing more is done then.
    """

    connection: Connection
    sender: Sender
    unit: Unit
    before: Outcome | None = None
    seen: Seen | None = None

    async def load(self, needs: Needs = NOTHING) -> Situation:
        """What there is to know of the customer. Raises `Refusal` (UnknownAccount)."""
        return await self._loaded(needs, None)

    async def load_first(self, needs: Needs = NOTHING) -> Situation:
        """As `load`, of what was read when the accounts were taken: before anything is written, by the needs that it began with."""
        return await self._loaded(needs, self.seen)

    async def _loaded(self, needs: Needs, seen: Seen | None) -> Situation:
        situation = await load_situation(self.connection, self.unit.account_id, self.unit.as_of, needs, seen)
        return await naming(self.connection, situation, self.unit.actor) if needs.names else situation

    async def carry_out(self, situation: Situation, decision: Decision) -> Outcome:
        """Facts, documents, journal and outbox of a decision. What came of it is still to be put on record, see `record`."""
        outcome, gathered = await self._carried_out(situation, decision)
        await gathered.write()
        return outcome

    async def record(self, outcome: Outcome, situation: Situation | None = None) -> Outcome:
        """What came of the unit, under its key: the last that is written of it. A customer of the `situation` who has plays
        gets them planned anew from what is so by now."""
        return await self._recorded(Gathered(self.connection), outcome, situation)

    async def done(self, situation: Situation, decision: Decision) -> Outcome:
        """`carry_out` and `record` with nothing in between, so that what is written last is written together."""
        outcome, gathered = await self._carried_out(situation, decision)
        return await self._recorded(gathered, outcome, situation)

    async def along(self, waiting: Gathered, situation: Situation, decision: Decision, unit: Unit) -> Outcome:
        """What a decision on another unit of the same transaction comes to. Its rows wait with others, also for those of its outcome:
        see `record_with`."""
        outcome, _ = await replace(self, unit=unit)._carried_out(situation, decision, waiting)
        return outcome

    async def record_with(
        self, waiting: Gathered, done: Sequence[tuple[Unit, Outcome]], situation: Situation
    ) -> Outcome:
        """Writes all that waits, with what came of each unit, as `record` does with the last one; returns that one's."""
        *earlier, (last, outcome) = done
        for unit, its in earlier:
            await effects.gather_effect(waiting, unit.key, unit.account_id, unit.run, unit.as_of, its)
        return await replace(self, unit=last)._recorded(waiting, outcome, situation)

    async def also(self, situation: Situation, decision: Decision, unit: Unit) -> Outcome:
        """What else is done and recorded in the same transaction, under a key of its own."""
        beside = replace(self, unit=unit)
        outcome, gathered = await beside._carried_out(situation, decision)
        return await beside._recorded(gathered, outcome)

    async def _carried_out(
        self, situation: Situation, decision: Decision, waiting: Gathered | None = None
    ) -> tuple[Outcome, Gathered]:
        unit = self.unit
        origin = Origin(unit.key, unit.stage, situation.as_of)
        return await carry_out(
            self.connection, self.sender, situation, decision, origin, unit.kind, unit.actor, waiting
        )

    async def _recorded(self, gathered: Gathered, outcome: Outcome, situation: Situation | None = None) -> Outcome:
        unit = self.unit
        playbook = None if situation is None or isinstance(situation.playbook, Missing) else situation.playbook
        since = people_since(playbook, unit.as_of) if playbook is not None else None
        changed = await effects.record_effect(
            gathered, unit.key, unit.account_id, unit.run, unit.as_of, outcome, unit.asked, since
        )
        if playbook is None or not (playbook.plays or changed):
            return outcome
        outcome = outcome.having(plays=await plays_ahead(self.connection, unit.account_id, unit.as_of))
        await effects.amend_effect(self.connection, unit.key, outcome)
        return outcome


Look = Callable[[UnitOfWork, Situation, _Subject], Awaitable[tuple[Any, ...]]]
"""What is looked up for a rule beside the situation, in the same transaction."""
FollowUp = Callable[[UnitOfWork, Outcome], Awaitable[Outcome]]
"""What follows from a decision that is carried out, in the same transaction, before its outcome is on record."""


@dataclass(frozen=True)
class StepKind:
    """How a kind of step, or a request, is done: by a rule on the situation, the step, and what `look` has found beside them.

    `paced`: it waits until whoever it would write to may get an optional mail again, and puts off near steps itself. `each_time`: it may
    come again under the same key, as the same report may; only a retry of the very call gets its outcome, a repetition changes nothing.
    """

    rule: Callable[..., Decided]
    needs: Needs = NOTHING
    paced: bool = False
    each_time: bool = False
    look: Look[Any] | None = None
    follow: FollowUp | None = None


class Performer:
    """Does units of work in transactions of its pool. `issuer`: the seller as it stands on documents, if more than its name does."""

    def __init__(self, pool: Pool, seller: str, *, issuer: Issuer | None = None, webhooks: bool = False) -> None:
        self._pool = pool
        signing = Signing(pool)
        self.sender = Sender(issuer or Issuer(name=seller), signing, webhooks=webhooks)
        self.vouching = Vouching(pool, signing)

    @asynccontextmanager
    async def transaction(self, about: Sequence[str] = ()) -> AsyncIterator[Connection]:
        """A connection with a transaction that commits at the end of the block; no other one may begin within it. about: of what it
        is told then that something happened (see `news`); more of them may be added in the block."""
        async with self._pool.acquire() as connection:
            await connection.execute(_BEGIN)
            try:
                yield connection
            except BaseException:
                await connection.execute("rollback")
                raise
            await connection.execute(f"commit; {news.telling(about)}")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection on which each statement is a transaction of its own."""
        async with self._pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def begin(
        self, unit: Unit, reads: Mapping[str, str] | None = None, *about: Any, within: str | None = None
    ) -> AsyncIterator[UnitOfWork]:
        """A unit of work under way. Whoever decides on a customer's money or assets does it here, a case by `CaseWorker.begin`: so
        of two who decide at once the second one knows what the first one did.

        reads: statements that are read beside the customer, if that is known by now, as `customers.reading` has them; their other
        parameters are `about`, from $7 on. within: the contract whose are the only ones and the only assets that are read first, as
        `customers.reading` has it; to ask for others raises `NotReadError`.

        Raises `Refusal` (RequestConflict) if something else was asked under the key before.
        """
        accounts, seen = (unit.account_id, *unit.others), None
        async with self.transaction(list(map(news.of_account, accounts))) as connection:
            if reads is None:
                done = await effects.find_effect_holding(connection, unit.key, accounts, unit.asked)
            else:
                day = customers.likely_day(unit.account_id, unit.as_of)
                given = (unit.account_id, unit.as_of, day, *([within] if within else ()), *about)
                reading = customers.reading(reads, within)
                done, row = await effects.find_effect_and_read(
                    connection, unit.key, accounts, unit.asked, reading, *given
                )
                seen = Seen(row, day, within) if row is not None else None
            before = (done.answer if unit.planned else done.answer_to_request)(unit.run) if done else None
            yield UnitOfWork(connection, self.sender, unit, before, seen)

    async def answer(
        self, call: RequestCall, kind: RequestKind[Any], look: Look[Any] | None = None, follow: FollowUp | None = None
    ) -> Outcome:
        """The answer to a request, which is decided once by the rule of its `kind`; its `barred` is refused unless it was done before.

        `look`: what else is looked up for the rule, in the same transaction. `follow`: what follows before the outcome is recorded.
        """
        async with business_errors():
            request = kind.read(call.body)
            unit = Unit.of_request(call, request, kind.stage, kind.journal(request) if kind.journal else None)
            beside = (kind.beside(call, unit.key),) if kind.beside else ()
            # Under its id it is known as it came; what is decided is what counts of it.
            counts = await self.vouching.counted(kind, journey_id(call.account_id), call.body, call.update_id)
            request = request if counts is call.body else kind.read(counts)

            def decide(situation: Situation, request: Any, *looked: Any) -> Decided:
                if call.barred is not None:
                    raise call.barred.refusal()
                with named_refusals():
                    decided: Decided = kind.decide(situation, request, *beside, *looked)
                    return decided

            return await self._once(unit, request, StepKind(decide, kind.needs, look=look, follow=follow))

    async def step(self, call: StepCall, kind: StepKind) -> Outcome:
        """What a step of the agenda comes to, done once by the rule of its `kind`."""
        async with business_errors():
            info = activity.info()
            run = f"{info.workflow_run_id}/{info.activity_id}" if kind.each_time else ""
            return await self._once(Unit.of_step(call, run), call.step, kind, call)

    async def _once(self, unit: Unit, subject: _Subject, how: StepKind, call: StepCall | None = None) -> Outcome:
        try:
            return await self._attempt(unit, subject, how, call, _within(how.needs, call))
        except NotReadError:
            return await self._attempt(unit, subject, how, call, None)

    async def _attempt(
        self, unit: Unit, subject: _Subject, how: StepKind, call: StepCall | None, within: str | None
    ) -> Outcome:
        needs, look, follow, paced = how.needs, how.look, how.follow, how.paced
        reads = situations.reads(needs, within)
        if paced:
            reads["mails"] = outbox.OPTIONAL_MAILS
        async with self.begin(unit, reads, within=within) as work:
            if work.before is not None:
                return work.before
            situation = await work.load_first(needs)
            if call is not None and call.kept:
                situation = replace(situation, kept=tuple(call.kept))
            looked = await look(work, situation, subject) if look else ()
            assets = situation.customer.assets
            held = 0 if isinstance(assets, Unread) else len(assets)
            size = max(held, len(known_of(situation.records)), extent_of(subject, *looked))
            decided = await computed(size, how.rule, situation, subject, *looked)
            situation, decision = decided if isinstance(decided, tuple) else (situation, decided)
            beside: list[tuple[Step, str, Decision]] = []
            if call is not None:
                mails = work.seen.row["mails"] if paced and work.seen else None
                pace = await paced_decision(work.connection, situation, decision, call, paced=paced, mails=mails)
                if pace.before is not None:
                    return pace.before
                decision, beside = pace.decision, pace.later
                work = replace(work, unit=replace(unit, key=pace.key or unit.key))
            if follow or beside:
                outcome = await work.carry_out(situation, decision)
                for step, key, put_off in beside:
                    await work.also(situation, put_off, Unit(unit.account_id, key, unit.as_of, step.stage, step.kind))
                outcome = await work.record(await follow(work, outcome) if follow else outcome, situation)
            else:
                outcome = await work.done(situation, decision)
            if scoring.never_healthy(decision.writes):
                await scoring.score_no_longer_healthy(work.connection, unit.account_id, situation.as_of)
            return outcome


def _within(needs: Needs, call: StepCall | None) -> str | None:
    """The contract of which alone is read what a step needs, `NO_CONTRACT` if it is none; null for everything."""
    if needs.holdings is Breadth.NONE:
        return NO_CONTRACT
    return contract_of(call.step.stage) if needs.holdings is Breadth.OWN and call is not None else None


class Activities:
    """Activities of an area that do units of work; its kinds of steps; and what it looks up for requests that the registry's rules
    answer. All by the names of their activities."""

    steps: Mapping[str, StepKind] = {}
    looks: Mapping[str, Look[Any]] = {}
    follows: Mapping[str, FollowUp] = {}

    def __init__(self, performer: Performer) -> None:
        self._performer = performer
