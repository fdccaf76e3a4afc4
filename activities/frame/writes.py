"""Carrying out what a decision writes, one function per kind of write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from activities.assets.ledger import save_changes, set_unit_prices
from activities.contracts import holdings
from activities.frame import effects
from activities.frame.telling import telling
from activities.holds.hold_writes import HOLD_WRITES, Place, carry_out_hold_writes
from activities.journey import people_rows
from activities.kernel.pool import Connection
from activities.orders import fulfilment_rows, order_rows
from activities.quotes import quote_rows
from domain.assets.writes import AssetChange, Relate, SetUnitPrice
from domain.billing.writes import BILLED
from domain.contracts.writes import (
    BeginTerm,
    DropTerm,
    MoveTerm,
    OpenAsset,
    OpenContract,
    QuoteRenewal,
    SendAssets,
    SetContractStatus,
    SettleTransfer,
)
from domain.frame.customer import Customer
from domain.frame.decision import CloseStaffTasks, OpenStaffTask
from domain.journey.telling import health_told
from domain.journey.writes import (
    ChangedAccount,
    CloseAccount,
    GoneContacts,
    KeepPlaybook,
    PlaceAccount,
    PlaceOrder,
    ReachBack,
    SavedContacts,
)
from domain.kernel.base import Write
from domain.mail.writes import FlagContact, StopOptionalMails
from domain.orders.fulfilments import RecordFulfilment
from domain.orders.writes import AddProducts
from domain.quotes.writes import LinkAssets, NoteContract, RecordSale, SaveQuote
from domain.success.writes import (
    CompleteOnboardingTask,
    DropOnboarding,
    DropTask,
    MakeOffer,
    OpenOnboardingTask,
    RecordHealth,
    RecordSurveyAnswer,
    SendSurvey,
    SettleOffer,
)

_HEALTH = telling(
    "insert into health_score (account_id, at, score, band, parts) values ($1, $2, $3, $4, $5)"
    " on conflict (account_id, at) do update set score = excluded.score, band = excluded.band, parts = excluded.parts",
    6,
)


class Writer:
    """Writes for one customer within one transaction."""

    def __init__(self, connection: Connection, customer: Customer, as_of: datetime) -> None:
        self._connection = connection
        self._customer = customer
        self._account_id = customer.account.account_id
        self._as_of = as_of

    async def carry_out(self, writes: Iterable[Write]) -> None:
        """Every write, in order; runs of the same kind go to the server together. What is billed is decided once all are there."""
        for kind, batch in groupby((write for write in writes if not isinstance(write, BILLED)), type):
            await _HANDLERS[kind](self, list(batch))

    def staff_id(self, who: str) -> str:
        """The staff id behind `owner` or `success_manager`; any other is one already."""
        known = {"owner": self._customer.owner, "success_manager": self._customer.success_manager}
        return known[who].staff_id if who in known else who

    async def _open_onboarding_tasks(self, writes: list[OpenOnboardingTask]) -> None:
        await self._connection.executemany(
            "insert into onboarding_task (account_id, stage, name, title, owner, due_on, due_at, status)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8)",
            [(self._account_id, w.stage, w.name, w.title, w.owner, w.due_on, w.due_at, w.status) for w in writes],
        )

    async def _complete_onboarding_tasks(self, writes: list[CompleteOnboardingTask]) -> None:
        for w in writes:
            await self._connection.execute(
                "update onboarding_task set status = 'done', completed_at = $4, completed_by = $5, evidence = $6"
                " where account_id = $1 and stage = $2 and name = $3",
                self._account_id,
                w.stage,
                w.name,
                w.at,
                w.by,
                w.evidence,
            )
            if w.value:
                await self._connection.execute(
                    "update account set first_value_at = coalesce(first_value_at, $2) where account_id = $1",
                    self._account_id,
                    w.at,
                )

    async def _drop_onboardings(self, writes: list[DropOnboarding]) -> None:
        await self._connection.executemany(
            "update onboarding_task set status = 'past' where account_id = $1 and stage = $2 and status = 'open'",
            [(self._account_id, w.stage) for w in writes],
        )

    async def _drop_tasks(self, writes: list[DropTask]) -> None:
        await self._connection.executemany(
            "update onboarding_task set status = 'past', completed_by = $4, evidence = $5"
            " where account_id = $1 and stage = $2 and name = $3 and status = 'open'",
            [(self._account_id, w.stage, w.name, w.by, w.reason) for w in writes],
        )

    async def _open_staff_tasks(self, writes: list[OpenStaffTask]) -> None:
        task = people_rows.STAFF_TASK
        given = {"account_id": self._account_id, "opened_at": self._as_of}
        await task.add(self._connection, [task.row(w, **given, staff_id=self.staff_id(w.to)) for w in writes])

    async def _close_staff_tasks(self, writes: list[CloseStaffTasks]) -> None:
        for w in writes:
            await self._connection.execute(
                "update staff_task set closed_at = $3 where account_id = $1 and starts_with(key, $2) and closed_at is null",
                self._account_id,
                w.prefix,
                w.at,
            )

    async def _record_health(self, writes: list[RecordHealth]) -> None:
        for w in writes:
            before = [(one.score, one.band) for one in self._customer.health if one.at < w.at]
            told = health_told(self._account_id, w.at, w.score, w.band, before[-1] if before else None)
            await self._connection.execute(_HEALTH, self._account_id, w.at, w.score, w.band, w.parts, list(told))

    async def _quote_renewals(self, writes: list[QuoteRenewal]) -> None:
        await self._connection.executemany(
            "insert into renewal_quote (quote_id, contract_id, term, currency, total, valid_until, lines, quoted_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8)"
            " on conflict (quote_id) do update set total = excluded.total, lines = excluded.lines, quoted_at = excluded.quoted_at",
            [(w.quote_id, w.contract_id, w.term, w.currency, w.total, w.valid_until, w.lines, w.at) for w in writes],
        )

    async def _change_assets(self, writes: list[AssetChange]) -> None:
        await save_changes(self._connection, writes)

    async def _save_quotes(self, writes: list[SaveQuote]) -> None:
        await quote_rows.save_quotes(self._connection, self._account_id, self._as_of, writes)

    async def _note_contracts(self, writes: list[NoteContract]) -> None:
        await quote_rows.note_contracts(self._connection, self._account_id, self._as_of, writes)

    async def _record_sales(self, writes: list[RecordSale]) -> None:
        await quote_rows.record_sales(self._connection, self._account_id, self._customer.account.time_zone, writes)

    async def _link_assets(self, writes: list[LinkAssets]) -> None:
        await quote_rows.link_assets(self._connection, writes)

    async def _relate(self, writes: list[Relate]) -> None:
        await quote_rows.relate(self._connection, writes)

    async def _record_fulfilments(self, writes: list[RecordFulfilment]) -> None:
        await fulfilment_rows.record(self._connection, self._as_of, writes)

    async def _add_products(self, writes: list[AddProducts]) -> None:
        await order_rows.add_products(self._connection, [product for write in writes for product in write.products])

    async def _keep_playbooks(self, writes: list[KeepPlaybook]) -> None:
        for write in writes:
            await order_rows.keep_playbook(self._connection, write.playbook)

    async def _place_accounts(self, writes: list[PlaceAccount]) -> None:
        for write in writes:
            await people_rows.place_account(self._connection, write, self._as_of)

    async def _reach_back(self, writes: list[ReachBack]) -> None:
        for write in writes:
            await order_rows.reach_back(self._connection, self._account_id, write.since)

    async def _place_orders(self, writes: list[PlaceOrder]) -> None:
        for write in writes:
            await order_rows.place_order(self._connection, write, self._as_of)

    async def _open_assets(self, writes: list[OpenAsset]) -> None:
        await holdings.open_assets(self._connection, writes)

    async def _open_contracts(self, writes: list[OpenContract]) -> None:
        await holdings.add_contracts(self._connection, self._account_id, ((w.contract, w.origin, w.at) for w in writes))

    async def _set_unit_prices(self, writes: list[SetUnitPrice]) -> None:
        await set_unit_prices(self._connection, {write.asset_id: write.unit_price for write in writes})

    async def _move_terms(self, writes: list[MoveTerm]) -> None:
        await holdings.move_terms(self._connection, self._account_id, writes)

    async def _drop_terms(self, writes: list[DropTerm]) -> None:
        await holdings.drop_terms(self._connection, self._account_id, writes)

    async def _send_assets(self, writes: list[SendAssets]) -> None:
        await holdings.send_assets(self._connection, self._account_id, writes)

    async def _settle_transfers(self, writes: list[SettleTransfer]) -> None:
        await holdings.settle_transfers(self._connection, writes)

    async def _begin_terms(self, writes: list[BeginTerm]) -> None:
        terms = [holdings.term_row(w, w.contract_id, self._account_id, w.origin, w.at) for w in writes]
        await self._connection.executemany(holdings.TERM, terms)

    async def _set_contract_statuses(self, writes: list[SetContractStatus]) -> None:
        await self._connection.executemany(
            "update contract set status = $2, status_reason = $3, status_at = $4 where contract_id = $1",
            [(w.contract_id, w.status, w.reason, w.at) for w in writes],
        )
        if ended := [w.contract_id for w in writes if w.status == "ended"]:
            await quote_rows.note_expired(self._connection, ended, self._as_of)

    async def _make_offers(self, writes: list[MakeOffer]) -> None:
        await self._connection.executemany(
            "insert into offer (offer_id, account_id, asset_id, add_quantity, unit_price, currency, mrr_change, status,"
            " offered_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9)",
            [
                (
                    w.offer_id,
                    self._account_id,
                    w.asset_id,
                    w.add,
                    w.unit_price,
                    w.currency,
                    w.mrr_change,
                    w.at,
                    w.expires_at,
                )
                for w in writes
            ],
        )

    async def _settle_offers(self, writes: list[SettleOffer]) -> None:
        await self._connection.executemany(
            "update offer set status = $2, reason = $3, settled_at = $4 where offer_id = $1",
            [(w.offer_id, w.status, w.reason, w.at) for w in writes],
        )

    async def _send_surveys(self, writes: list[SendSurvey]) -> None:
        await self._connection.executemany(
            "insert into survey (survey_id, account_id, kind, sent_at, sent_to) values ($1, $2, $3, $4, $5)",
            [(w.survey_id, self._account_id, w.kind, w.at, w.sent_to) for w in writes],
        )

    async def _record_survey_answers(self, writes: list[RecordSurveyAnswer]) -> None:
        await self._connection.executemany(
            "update survey set score = $2, comment = $3, answered_at = coalesce(answered_at, $4) where survey_id = $1",
            [(w.survey_id, w.score, w.comment, w.at) for w in writes],
        )

    async def _carry_out_hold_writes(self, writes: list[Any]) -> None:
        await carry_out_hold_writes(Place(self._connection, self._customer, self._as_of), writes)

    async def _stop_optional_mails(self, writes: list[StopOptionalMails]) -> None:
        for w in writes:
            await effects.unsubscribe_contact(self._connection, self._account_id, w.contact_id, w.at)

    async def _flag_contacts(self, writes: list[FlagContact]) -> None:
        for w in writes:
            await effects.flag_contact(self._connection, self._account_id, w.contact_id, w.email, w.at, w.reason)

    async def _change_account(self, writes: list[ChangedAccount]) -> None:
        await people_rows.change_account(self._connection, self._account_id, writes)

    async def _save_contacts(self, writes: list[SavedContacts]) -> None:
        await people_rows.save_contacts(self._connection, self._account_id, writes)

    async def _remove_contacts(self, writes: list[GoneContacts]) -> None:
        await people_rows.remove_contacts(self._connection, self._account_id, writes)

    async def _close_accounts(self, writes: list[CloseAccount]) -> None:
        await self._connection.executemany(
            "update account set closed_at = $2, closed_reason = $3 where account_id = $1",
            [(self._account_id, w.at, w.reason) for w in writes],
        )
        for statement in _SETTLED_BY_CLOSING:
            await self._connection.execute(statement, self._account_id, writes[-1].at)


_SETTLED_BY_CLOSING = (
    "update onboarding_task set status = 'past', completed_at = $2 where account_id = $1 and status = 'open'",
    "update staff_task set closed_at = $2 where account_id = $1 and closed_at is null",
    "update offer set status = 'expired', settled_at = $2 where account_id = $1 and status = 'open'",
    "update outbox set status = 'withdrawn', settled_at = $2 where account_id = $1 and status = 'held'",
    "delete from held_step where account_id = $1 and $2::timestamptz is not null",
    "update lead set status = 'withdrawn', closed_at = $2 where account_id = $1 and status in ('held', 'routed', 'overdue')",
)

_Handler = Callable[[Writer, list[Any]], Awaitable[None]]

_HANDLERS: dict[type[Any], _Handler] = {
    OpenOnboardingTask: Writer._open_onboarding_tasks,
    CompleteOnboardingTask: Writer._complete_onboarding_tasks,
    DropOnboarding: Writer._drop_onboardings,
    DropTask: Writer._drop_tasks,
    OpenStaffTask: Writer._open_staff_tasks,
    CloseStaffTasks: Writer._close_staff_tasks,
    RecordHealth: Writer._record_health,
    QuoteRenewal: Writer._quote_renewals,
    AssetChange: Writer._change_assets,
    OpenAsset: Writer._open_assets,
    OpenContract: Writer._open_contracts,
    SetUnitPrice: Writer._set_unit_prices,
    MoveTerm: Writer._move_terms,
    DropTerm: Writer._drop_terms,
    SendAssets: Writer._send_assets,
    SettleTransfer: Writer._settle_transfers,
    SaveQuote: Writer._save_quotes,
    NoteContract: Writer._note_contracts,
    RecordSale: Writer._record_sales,
    LinkAssets: Writer._link_assets,
    Relate: Writer._relate,
    RecordFulfilment: Writer._record_fulfilments,
    AddProducts: Writer._add_products,
    KeepPlaybook: Writer._keep_playbooks,
    PlaceAccount: Writer._place_accounts,
    ReachBack: Writer._reach_back,
    PlaceOrder: Writer._place_orders,
    BeginTerm: Writer._begin_terms,
    SetContractStatus: Writer._set_contract_statuses,
    MakeOffer: Writer._make_offers,
    SettleOffer: Writer._settle_offers,
    SendSurvey: Writer._send_surveys,
    RecordSurveyAnswer: Writer._record_survey_answers,
    StopOptionalMails: Writer._stop_optional_mails,
    FlagContact: Writer._flag_contacts,
    ChangedAccount: Writer._change_account,
    SavedContacts: Writer._save_contacts,
    GoneContacts: Writer._remove_contacts,
    CloseAccount: Writer._close_accounts,
    **dict.fromkeys(HOLD_WRITES, Writer._carry_out_hold_writes),
}
