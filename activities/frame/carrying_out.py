"""One transaction, one effect: carry out a decision under its business key, or find that it was carried out before."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.assets.ledger import AssetChangedMeanwhileError, load_records
from activities.billing.credits import OverCreditedError
from activities.frame import customers, effects
from activities.frame.decided import (
    billing_rows,
    document_of,
    documents_mail,
    journal_rows,
    notice_row,
    webhook_rows,
    with_documents,
    without_unwanted_mails,
)
from activities.frame.numbering import with_short_numbers
from activities.frame.pacing import unless_said, unless_too_early
from activities.frame.writes import Writer
from activities.holds import hold_rows
from activities.journey import people_rows
from activities.kernel.computing import computed
from activities.kernel.pool import TRANSPORT_ERRORS, Connection, Pool
from activities.mail.signing import Signing
from activities.service.case_rows import CaseMovedMeanwhileError
from domain.assets.errors import AssetLockedError, LedgerCorruptError
from domain.contracts.refusing import refusal_of
from domain.frame.customer import Customer
from domain.frame.decision import Decision, Mail, Notice
from domain.frame.flight import Channel
from domain.frame.mail_names import mail_in_words
from domain.frame.messages import OutgoingMail
from domain.frame.pace import ahead
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.frame.unreadable import MEND, UNREADABLE, UnreadableError, unreadable_of
from domain.holds.guard import SALES_MAILS
from domain.journey import mornings
from domain.journey.webhooks import Event, events_of
from domain.kernel.fingerprints import Asked
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from domain.kernel.shown import shorten
from domain.orders.order import ContactRole

PATIENT_ATTEMPTS = 5
"""A lost race settles itself long before; after this many attempts it is a mistake that somebody has to see."""

LOST_RACES = (asyncpg.UniqueViolationError, OverCreditedError)
"""What the tables refuse because another transaction was faster: the same key, or a credit of what is not charged any more."""


PASSING: tuple[type[BaseException], ...] = (*TRANSPORT_ERRORS, AssetChangedMeanwhileError, CaseMovedMeanwhileError)
"""What another attempt can get right."""


@dataclass(frozen=True)
class Seller:
    """How the selling company signs its mails."""

    name: str


TOO_LONG = "TookTooLong"
LEFT_TO_SAY_SO = timedelta(seconds=1)
"""So long before its time is over an attempt is ended by ourselves, so that it can be told from a worker that died."""
_late: Counter[tuple[str, str]] = Counter()
"""How often an activity, by its run and id, was not done in its time by this process."""


@asynccontextmanager
async def business_errors() -> AsyncIterator[None]:
    """Tells the workflow what kind of failure it was: transport errors are retried for ever, refusals and mistakes are not.

    What is not done in its time is tried again some times, and then left to a person.
    """
    deadline = asyncio.timeout(_time_left())
    try:
        async with deadline:
            yield
        _late.pop(_this_activity(), None)
    except ApplicationError:
        raise
    except TimeoutError as late:
        if not deadline.expired():
            raise
        raise _too_long() from late
    except Refusal as refusal:
        problems = [problem.model_dump() for problem in refusal.problems]
        raise ApplicationError(
            str(refusal), problems, type=refusal.type, non_retryable=True, category=ApplicationErrorCategory.BENIGN
        ) from None
    except LOST_RACES as lost:
        if activity.info().attempt < PATIENT_ATTEMPTS:
            raise
        raise ApplicationError(f"again and again: {lost}", type="StepFailed", non_retryable=True) from lost
    except PASSING:
        raise
    except UnreadableError as unread:
        raise ApplicationError(str(unread), unread.fact.name, type=UNREADABLE, non_retryable=True) from unread
    except LedgerCorruptError as corrupt:
        said = f"the asset ledger does not add up ({corrupt}): {MEND}"
        raise ApplicationError(said, "asset ledger", type=UNREADABLE, non_retryable=True) from corrupt
    except AssetLockedError as locked:
        told = refusal_of(locked)
        raise ApplicationError(str(told), type=told.type, non_retryable=True) from locked
    except Exception as mistake:
        raise ApplicationError(
            f"{type(mistake).__name__}: {mistake}", type="StepFailed", non_retryable=True
        ) from mistake


def _this_activity() -> tuple[str, str]:
    info = activity.info()
    return info.workflow_run_id or "", info.activity_id


def _time_left() -> float | None:
    """Seconds that an attempt may take; null where nobody set a limit, and for deliveries, which are tried for as long as it takes."""
    info = activity.info()
    limit = info.start_to_close_timeout
    if limit is None or info.heartbeat_timeout:
        return None
    return max(limit / 2, limit - LEFT_TO_SAY_SO).total_seconds()


def _too_long() -> ApplicationError:
    """What is said of an attempt that was not done in its time; after some of them nobody tries again by themselves."""
    _late[_this_activity()] += 1
    times, seconds = _late[_this_activity()], round(_time_left() or 0)
    if times < PATIENT_ATTEMPTS:
        return ApplicationError(f"not done in {seconds} seconds, tried again", type=TOO_LONG)
    del _late[_this_activity()]
    said = f"not done in {seconds} seconds, {times} times: it is about too much at once, or the database is slow"
    return ApplicationError(f"{said}; nothing was changed", type=TOO_LONG, non_retryable=True)


def effect_key(account_id: str, what: str) -> str:
    """The business key of something done for a customer: `journey:C-17/renewal:K-3:2/notice-60`."""
    return f"journey:{account_id}/{what}"


def _put_off_key(account_id: str, step: Step) -> str:
    """Under which it is on record that a step was put off from its instant."""
    return effect_key(account_id, f"reschedule_pace:{step.key}@{step.at:%Y%m%dT%H%M%S}")


async def load_situation(
    connection: Connection,
    account_id: str,
    as_of: datetime,
    *,
    ledger: bool = False,
    service: bool = False,
    looks: bool = False,
) -> Situation:
    """The customer with their playbook at `as_of`, what service knows, and their asset ledger if that is asked for.

    `service`: with all that a review of holds looks at. `looks`: with the latest looks at use.

    Raises `Refusal` (UnknownAccount) for an account that no order has opened.
    """
    customer = await customers.load_customer(connection, account_id, as_of)
    if customer is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {account_id!r} has no accepted order yet; place its first order")
    playbook = await customers.load_playbook(connection, customer.account.segment, customer.account.playbook_version)
    records = await load_records(connection, account_id) if ledger else {}
    known = await hold_rows.load_service(connection, account_id, as_of, review=service, bearing=ledger)
    looked = await customers.load_looks(connection, account_id) if looks else None
    return Situation(customer, playbook, as_of, records, looks=looked, service=known)


async def naming(connection: Connection, situation: Situation, actor: str | None) -> Situation:
    """The situation in which whoever asked is known by name."""
    if actor is None or situation.named(actor) != actor:
        return situation
    found = await people_rows.find_staff(connection, [actor])
    return replace(situation, people={id: one.name for id, one in found.items()})


class Performer:
    """Carries out decisions in transactions of its pool."""

    def __init__(self, pool: Pool, seller: Seller, *, webhooks: bool = False) -> None:
        self._pool = pool
        self._seller = seller
        self._webhooks = webhooks
        self.signing = Signing(pool)

    @property
    def seller(self) -> str:
        """How the selling company signs its mails."""
        return self._seller.name

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection with a transaction that commits at the end of the block."""
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def holding(
        self, key: str, account_id: str, *others: str, asked: Asked | None = None
    ) -> AsyncIterator[tuple[Connection, effects.Effect | None]]:
        """A transaction that holds the accounts from before its first read, and what was done under `key`, if it was.

        Whoever decides on a customer's money or assets does it here, a case by `CaseWorker.locked`: so of two who decide at
        once the second one knows what the first one did.
        """
        async with self.transaction() as connection:
            yield connection, await effects.find_effect_holding(connection, key, [account_id, *others], asked)

    async def once(
        self,
        account_id: str,
        key: str,
        as_of: datetime,
        decide: Callable[[Situation], Decision],
        *,
        stage: str,
        kind: str,
        run: str = "",
        actor: str | None = None,
        ledger: bool = False,
        service: bool = False,
        looks: bool = False,
        asked: Asked | None = None,
        paced: Step | None = None,
        kept: Sequence[date] = (),
        near: Sequence[Step] = (),
    ) -> Outcome:
        """The outcome of `decide`, carried out once under `key`; a repetition finds the first outcome.

        `paced`: the step that this does, if it waits until whoever it would write to may get an optional mail again; `kept`: the
        days on which they get one that was foretold; `near`: the steps that its mail may put off.

        Raises `Refusal` (RequestConflict) if something else was `asked` under the key before.

        `service`: with all that a review of holds looks at. `looks`: with the latest looks at use.
        """
        async with self.holding(key, account_id, asked=asked) as (connection, done):
            if done:
                return done.outcome if done.run == run else done.outcome.again()
            situation = await load_situation(connection, account_id, as_of, ledger=ledger, service=service, looks=looks)
            situation = await naming(connection, replace(situation, kept=tuple(kept)), actor)
            decision = await computed(len(situation.customer.assets), decide, situation)
            decision = await unless_too_early(connection, situation, decision, paced)
            decision = await unless_said(connection, situation, decision, kind)
            if paced is not None and decision.outcome.put_off:
                # It is done under its own key when it is done, and put off from a later instant each time.
                key = _put_off_key(account_id, paced)
                if done := await effects.find_effect(connection, key):
                    return done.outcome
                near = ()
            later = await self._ahead(connection, situation, decision, near) if paced is not None and near else []
            if moved := [step for _, _, put_off in later for step in put_off.outcome.plan]:
                plan = {"plan": [*decision.outcome.plan, *moved]}
                decision = replace(decision, outcome=decision.outcome.model_copy(update=plan))
            outcome = await self.carry_out(
                connection, situation, decision, key, stage=stage, kind=kind, run=run, actor=actor, asked=asked
            )
            for step, its_key, put_off in later:
                await self.carry_out(connection, situation, put_off, its_key, stage=step.stage, kind=step.kind)
            return outcome

    async def _ahead(
        self, connection: Connection, situation: Situation, decision: Decision, near: Sequence[Step]
    ) -> list[tuple[Step, str, Decision]]:
        """The steps that the mail of a decision puts off, each with the key under which that is on record."""
        account_id = situation.customer.account.account_id
        found = [(step, _put_off_key(account_id, step), put_off) for step, put_off in ahead(situation, decision, near)]
        return [one for one in found if await effects.find_effect(connection, one[1]) is None]

    async def carry_out(
        self,
        connection: Connection,
        situation: Situation,
        decision: Decision,
        key: str,
        *,
        stage: str,
        kind: str,
        run: str = "",
        actor: str | None = None,
        asked: Asked | None = None,
    ) -> Outcome:
        """Facts, journal, outbox and effect of a decision, written on `connection`."""
        customer, as_of = situation.customer, situation.as_of
        account_id = customer.account.account_id
        decision = without_unwanted_mails(customer, decision)
        writer = Writer(connection, customer, key, as_of)
        await writer.carry_out(decision.writes)
        billed = await writer.bill(imported=situation.imported)
        lines = [*journal_rows(decision, key, stage, kind, as_of, actor), *billing_rows(billed, key, as_of)]
        await effects.write_journal(connection, account_id, lines)
        if not situation.imported:
            decision = with_documents(decision, billed, situation.billing_day)
        decision = await with_short_numbers(connection, account_id, decision)
        answerable = decision.mails or any(notice.case_id for notice in decision.notices)
        signed_by = (await self.signing.current(connection)).number if answerable else None
        rows, unreachable = self._outbox_rows(customer, decision, key, stage, as_of, signed_by)
        if not situation.imported:
            events = events_of(decision, kind, *billed.told())
            rows += self.event_rows(events, account_id, f"{key}#event", stage, as_of)
        if (at := mornings.leaves_at(situation, kind)) is not None:
            rows = [replace(row, leaves_at=at) if row.channel in TOLD else row for row in rows]
        await effects.put_outbox(connection, account_id, as_of, rows)
        outcome = _completed(situation, decision, rows, unreachable=unreachable)
        if billed.steps:
            outcome = outcome.model_copy(update={"plan": [*outcome.plan, *billed.steps]})
        await effects.record_effect(connection, key, account_id, run, as_of, outcome, asked)
        return outcome

    def event_rows(
        self, events: Iterable[Event], account_id: str, prefix: str, stage: str, as_of: datetime
    ) -> list[effects.OutboxRow]:
        """What other systems are told by webhook, if they are told at all; each row's id is the prefix with its number."""
        return webhook_rows(events, account_id, prefix, stage, as_of) if self._webhooks else []

    async def with_memos(
        self,
        connection: Connection,
        account_id: str,
        memos: Sequence[dict[str, Any]],
        rows: list[effects.OutboxRow],
        key: str,
        stage: str,
        as_of: datetime,
    ) -> list[effects.OutboxRow]:
        """The messages of a case with the credit notes that it has given: they reach the billing contact, with what that one is
        told of them anyway, or alone; nobody if nobody can be reached."""
        customer = await customers.load_customer(connection, account_id, as_of) if memos else None
        contact = customer.contact(ContactRole.BILLING) if customer else None
        if customer is None or contact is None:
            return rows
        documents = tuple(document_of("credit_memo", memo, customer.day_of(as_of)) for memo in memos)
        ids = {one["id"] for one in documents}
        for row in rows:
            told = row.channel is Channel.MAIL and row.body["context"].get("credit_memo") in ids
            if told and row.body["to_email"].lower() == contact.email.lower():
                return [
                    one if one is not row else replace(row, body={**row.body, "documents": list(documents)})
                    for one in rows
                ]
        signed_by = (await self.signing.current(connection)).number
        alone = self._mail_row(customer, documents_mail(documents), f"{key}#documents", stage, as_of, signed_by)
        return [*rows, alone] if alone else rows

    def _outbox_rows(
        self, customer: Customer, decision: Decision, key: str, stage: str, as_of: datetime, signed_by: int | None
    ) -> tuple[list[effects.OutboxRow], bool]:
        """The messages of a decision; true if a mail found nobody to go to, which the owner is told instead."""
        rows: list[effects.OutboxRow] = []
        notices = list(decision.notices)
        unreachable = False
        for mail in decision.mails:
            row = self._mail_row(customer, mail, f"{key}#{len(rows)}", stage, as_of, signed_by)
            if row is None:
                unreachable = True
                lines = [f"The {mail_in_words(mail.template)} could not go out: no contact has a working address."]
                notices.append(Notice("Nobody at the customer can be reached by mail", lines, to="owner"))
            else:
                rows.append(row)
        for notice in notices:
            rows.append(notice_row(customer, notice, f"{key}#{len(rows)}", stage, as_of, signed_by))
        if decision.provisioning:
            body = {"order_id": decision.provisioning.order_id, "items": decision.provisioning.items}
            rows.append(effects.OutboxRow(f"{key}#{len(rows)}", Channel.PROVISIONING, stage, body))
        if sent := decision.conveyance:
            body = {"transfer_id": sent.transfer_id, "to_account": sent.to_account}
            rows.append(effects.OutboxRow(f"{key}#{len(rows)}", Channel.CONVEYANCE, sent.stage, body))
        return rows, unreachable

    def _mail_row(
        self, customer: Customer, mail: Mail, delivery_id: str, stage: str, as_of: datetime, signed_by: int | None
    ) -> effects.OutboxRow | None:
        contact = customer.contact(mail.role, mail.contact_id)
        if contact is None:
            return None
        signer = customer.owner if mail.contractual else customer.success_manager
        context = {
            "company": customer.account.name,
            "contact_name": contact.name,
            "seller": self._seller.name,
            "sender_name": signer.name,
            **mail.context,
        }
        body = OutgoingMail(
            delivery_id=delivery_id,
            template=mail.template,
            to_name=contact.name,
            to_email=contact.email,
            language=contact.language,
            time_zone=contact.time_zone,
            context=context,
            at=as_of,
            reply_to=signer.email,
            unsubscribe=None if mail.contractual else f"{customer.account.account_id}/{contact.contact_id}",
            completes=mail.completes,
            key=signed_by,
            documents=mail.documents,
        )
        dumped = body.model_dump(mode="json")
        purpose = mail.purpose or SALES_MAILS.get(mail.template)
        return effects.OutboxRow(
            delivery_id,
            Channel.MAIL,
            stage,
            dumped,
            contact_id=contact.contact_id,
            purpose=purpose.value if purpose else None,
            product=mail.product,
        )


SAID_LENGTH = 72
TOLD = frozenset({Channel.MAIL, Channel.NOTICE})
"""What people read, and is not sent by night."""


def _completed(
    situation: Situation, decision: Decision, rows: list[effects.OutboxRow], *, unreachable: bool
) -> Outcome:
    """The decision's outcome with its deliveries and the lines that the briefing shows, each with its local day."""
    changes: dict[str, Any] = {}
    if rows:
        prefix = effect_key(situation.customer.account.account_id, "")
        new = {row.delivery_id.removeprefix(prefix): row.channel for row in rows if row.leaves_at is None}
        changes["deliveries"] = {**decision.outcome.deliveries, **new}
    if later := {row.leaves_at for row in rows if row.leaves_at is not None}:
        changes["plan"] = [*decision.outcome.plan, *(mornings.step_at(situation, at) for at in later)]
    said = decision.outcome.said or ([] if decision.line.kind == "skipped" else [decision.line.title])
    if said:
        changes["said"] = [shorten(f"{situation.today} {line}", SAID_LENGTH) for line in said]
    attention = {
        f"unreadable:{f.name}": str(f) for f in (*situation.customer.unreadable, *unreadable_of(situation.records))
    }
    if unreachable:
        attention["unreachable"] = "no contact has a working mail address"
    if attention:
        changes["attention"] = {**decision.outcome.attention, **attention}
    return decision.outcome.model_copy(update=changes)
