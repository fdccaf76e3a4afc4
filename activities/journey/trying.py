"""What a request would come to: done by the very code that does it, looked at, and taken back before anybody else sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from activities.billing.credits import load_credit_memo
from activities.billing.invoices import load_invoice
from activities.billing.payments import PaymentKeeping
from activities.contracts.amendments import AssetAmendments
from activities.frame import effects, outbox
from activities.frame.decided import document_of
from activities.frame.outgoing import Sender
from activities.frame.unit_of_work import FollowUp, Look, Performer, StepKind, Unit, UnitOfWork
from activities.holds.holds import HoldKeeping
from activities.journey.steps import JourneySteps
from activities.kernel.computing import computed, extent_of
from activities.kernel.pool import Connection, Pool
from activities.orders.fulfilments import Fulfilments
from activities.quotes.quoting import Quotes
from activities.success.playing import Plays
from domain.assets.writes import AssetChange
from domain.contracts.telling import Told, tell
from domain.contracts.writes import SendAssets
from domain.frame.decision import Decision
from domain.frame.keys import effect_key
from domain.frame.messages import Issuer
from domain.frame.request_kinds import RequestKind
from domain.frame.situation import Needs, Situation
from domain.frame.state import Step
from domain.journey.registry import JOURNEY
from domain.kernel.refusals import named_refusals
from domain.quotes.quote import Quote
from domain.quotes.writes import SaveQuote

TRIED = frozenset({"amend_assets", "renew_assets", "cancel_assets", "swap_assets", "transfer_assets", "request_quote"})
"""What can be tried: the requests whose amounts follow from the ledger."""
_UNDER = "tried"
"""The id of every request that is only tried: none that was made has it, and nothing of it stays."""
_LOOKS = {**AssetAmendments.looks, **Quotes.looks}
STEPS: Mapping[str, StepKind] = {
    name: kind
    for of_area in (JourneySteps, Quotes, AssetAmendments, Fulfilments, Plays, PaymentKeeping, HoldKeeping)
    for name, kind in of_area.steps.items()
}
"""The steps of a journey, by their kinds."""


@dataclass(frozen=True)
class Tried:
    """What it would come to for one account: each asset that changes, the quote that is made, invoices and credit notes as mails
    take them along, and what leaves."""

    account_id: str
    answer: dict[str, Any]
    changes: list[Told] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    bills: list[dict[str, Any]] = field(default_factory=list)
    messages: list[outbox.Waiting] = field(default_factory=list)


async def try_request(
    pool: Pool, issuer: Issuer, account_id: str, kind: RequestKind[Any], body: dict[str, Any], as_of: datetime
) -> list[Tried]:
    """What a request would come to at `as_of`, for each account that it concerns; nothing is written. Raises `Refusal` as the
    request itself is refused. The accounts are held meanwhile, as for the request itself."""
    request = kind.read({**body, "request_id": _UNDER})
    accounts = (account_id, *request.others())
    trial = _Trial(Performer(pool, issuer.name, issuer=issuer).sender, as_of)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await effects.find_effect_holding(connection, effect_key(account_id, _UNDER), accounts)
            return await trial.of_request(connection, account_id, kind, request)
        finally:
            await transaction.rollback()


async def try_step(pool: Pool, issuer: Issuer, account_id: str, step: Step) -> Tried | None:
    """What a step of the agenda would come to at its instant, by what is so today: null for one that only other things know how to do.
    Nothing is written. Raises `Refusal` for what could not be done."""
    kind = STEPS.get(step.kind)
    if kind is None:
        return None
    trial = _Trial(Performer(pool, issuer.name, issuer=issuer).sender, step.at)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await effects.find_effect_holding(connection, effect_key(account_id, _UNDER), (account_id,))
            return await trial.of_step(connection, account_id, step, kind)
        finally:
            await transaction.rollback()


@dataclass(frozen=True)
class _Trial:
    """One request as it would be done, in a transaction that nobody commits."""

    sender: Sender
    as_of: datetime

    async def of_request(
        self, connection: Connection, account_id: str, kind: RequestKind[Any], request: Any
    ) -> list[Tried]:
        unit = Unit(
            account_id, effect_key(account_id, f"{kind.answered_by}:{_UNDER}"), self.as_of, kind.stage, kind.update
        )
        work = UnitOfWork(connection, self.sender, unit)
        look, follow = _LOOKS.get(kind.answered_by), AssetAmendments.follows.get(kind.answered_by)
        tried, decision = await self._done(work, kind.needs, kind.decide, request, look, follow)
        sent = next((one for one in decision.writes if isinstance(one, SendAssets)), None)
        if sent is None:
            return [tried]
        received = await self._received(connection, sent)
        settled = await self._settled(connection, account_id, sent)
        bills, messages = [*tried.bills, *settled.bills], [*tried.messages, *settled.messages]
        return [replace(tried, bills=bills, messages=messages), received]

    async def of_step(self, connection: Connection, account_id: str, step: Step, kind: StepKind) -> Tried:
        unit = Unit(account_id, effect_key(account_id, f"{_UNDER}:{step.key}"), self.as_of, step.stage, step.kind)
        work = UnitOfWork(connection, self.sender, unit)
        tried, _ = await self._done(work, kind.needs, kind.rule, step, kind.look, kind.follow)
        return tried

    async def _received(self, connection: Connection, sent: SendAssets) -> Tried:
        """The other account's half of a transfer. Raises `Refusal` for what it will never take."""
        kind = JOURNEY["receive_assets"]
        body = {"transfer_id": sent.transfer_id, "request_id": sent.transfer_id, "by": "transfer"}
        (received,) = await self.of_request(connection, sent.to_account, kind, kind.read(body))
        return received

    async def _settled(self, connection: Connection, account_id: str, sent: SendAssets) -> Tried:
        """What becomes of the account that has handed its assets over."""
        kind: StepKind = AssetAmendments.steps["amendment_settled"]
        unit = Unit(
            account_id, effect_key(account_id, f"settled:{_UNDER}"), self.as_of, "amendment", "amendment_settled"
        )
        work = UnitOfWork(connection, self.sender, unit)
        step = (await work.load()).step_now("amendment_settled", "amendment", sent.transfer_id)
        tried, _ = await self._done(work, kind.needs, kind.rule, step, kind.look, kind.follow)
        return tried

    async def _done(
        self,
        work: UnitOfWork,
        needs: Needs,
        rule: Any,
        subject: Any,
        look: Look[Any] | None,
        follow: FollowUp | None,
    ) -> tuple[Tried, Decision]:
        """What a unit of work does, and what is on record of it then."""
        situation = await work.load(needs)
        looked = await look(work, situation, subject) if look else ()
        with named_refusals():
            size = max(len(situation.records), extent_of(subject, *looked))
            decided = await computed(size, rule, situation, subject, *looked)
        situation, decision = decided if isinstance(decided, tuple) else (situation, decided)
        outcome = await work.carry_out(situation, decision)
        if follow is not None:
            await follow(work, outcome)
        changes = [one for one in decision.writes if isinstance(one, AssetChange) and one.new_actions]
        return (
            Tried(
                work.unit.account_id,
                outcome.answer or {},
                tell(situation, changes),
                [one.after.current for one in decision.writes if isinstance(one, SaveQuote)],
                await _bills(work, situation),
                await outbox.find_messages(work.connection, await _delivery_ids(work)),
            ),
            decision,
        )


async def _bills(work: UnitOfWork, situation: Situation) -> list[dict[str, Any]]:
    """The invoices and credit notes that a unit of work has written."""
    rows = await work.connection.fetch(_BILLS, work.unit.account_id, work.unit.key)
    found = []
    for row in rows:
        load = load_invoice if row["kind"] == "invoice" else load_credit_memo
        document = await load(work.connection, row["id"])
        said = {f"{row['kind']}_id": document.id, **document.told()}
        found.append(document_of(row["kind"], said, situation.billing_day))
    return found


async def _delivery_ids(work: UnitOfWork) -> Sequence[str]:
    rows = await work.connection.fetch(_MESSAGES, work.unit.account_id, work.unit.key)
    return [row["delivery_id"] for row in rows]


_BILLS = (
    "select kind, detail->>'id' as id from journal where account_id = $1 and left(key, length($2)) = $2"
    " and kind in ('invoice', 'credit_memo') order by journal_id"
)
_MESSAGES = (
    "select delivery_id from outbox where account_id = $1 and left(delivery_id, length($2)) = $2 order by delivery_id"
)
