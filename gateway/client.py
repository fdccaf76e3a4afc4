"""The client by which services, the command line and rehearsals meet customers' journeys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.contracts.holdings import part_of
from activities.contracts.renewal_work import look_at_renewals
from activities.frame.customers import account_name, unknown_accounts
from activities.frame.effects import latest_effect
from activities.frame.situations import load_situation
from activities.frame.unit_of_work import Performer
from activities.journey.clocks import note_move
from activities.kernel.clock import present
from activities.kernel.engine import is_unknown
from activities.kernel.pool import Pool
from activities.mail.vouching import Vouching
from activities.quotes.quoting import preview
from activities.success.health_runs import HealthRun, run_health
from activities.success.usage import latest_usage_day, lock_usage, save_usage, sold_products
from domain.frame.step_words import shortened
from domain.frame.turns import Turn
from domain.journey.agenda import Running
from domain.journey.registry import JOURNEY
from domain.journey.taking_over import OrdersTaken, OrderTaken
from domain.kernel.ids import journey_id
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Problem, Refusal
from domain.kernel.requests import read_request
from domain.kernel.shown import as_text
from domain.orders.order import Order, OrderAnswer, read_order
from domain.quotes.quote import Quote
from domain.quotes.requests import RequestQuote
from domain.success.usage import UsageRow, calls_for_a_look, usage_level
from gateway.calling import ANSWER_WITHIN, Call, insist
from gateway.clock import Clocks
from gateway.entity import Entities, MayBeGone, Row, memo_of
from gateway.here import TASK_QUEUE
from gateway.in_step import move_together
from gateway.prices import publish
from gateway.usage_batches import (
    Crossed,
    Figure,
    Pair,
    UsageBatch,
    figures_of,
    known_after,
    merged,
    never_sold,
    record_batch,
)

WORKFLOW = "CustomerJourney"


class PerennialClient:
    """Orders, usage and answers in; nothing else changes a journey.

    Refused requests raise `Refusal` and change nothing. What gets no answer `within` that time raises
    `gateway.calling.NoAnswerError`: it may still happen, and may be sent again. Clocks are waited for while they move.
    """

    def __init__(
        self,
        temporal: Client,
        pool: Pool | None = None,
        *,
        task_queue: str = TASK_QUEUE,
        within: timedelta = ANSWER_WITHIN,
    ) -> None:
        self.temporal = temporal
        self._pool = pool
        self._within = within
        self._journeys = Entities(temporal, WORKFLOW, Turn.STEP, task_queue, within)
        self._clocks = Clocks(temporal, within)
        self._vouching = Vouching(pool) if pool is not None else None

    async def place_order(self, order: dict[str, Any]) -> OrderAnswer:
        """Places an activated order: the first begins the account's journey. Sent again, it gets the first answer again."""
        return await self._order("place_order", order)

    async def import_order(self, order: dict[str, Any]) -> OrderAnswer:
        """Takes over an order of the past with its true dates: nothing that was due before now is acted on."""
        return await self._order("import_order", order)

    async def import_orders(self, orders: Sequence[Order]) -> list[OrderTaken]:
        """Takes over some orders of one customer, oldest first, as `import_order` does, in one request: what became of each.

        Raises `Refusal` if none of them was accepted.
        """
        account = orders[0].account
        import_id = uuid4().hex
        said = [order.model_dump(mode="json", exclude_unset=True) for order in orders]
        body = {"request_id": import_id, "by": "import", "orders": said}
        again = "the same orders may be sent again, and are accepted once"
        answer = await self._ask_or_begin(
            account.account_id, "import_orders", body, import_id, again, company=account.name
        )
        return OrdersTaken.model_validate(answer).orders

    async def _order(self, update: str, document: dict[str, Any]) -> OrderAnswer:
        order = read_order(document)
        # One id for all attempts of this call, another for the next call: a refusal of today must not answer for ever.
        update_id = f"{order.order_id}:{order.digest()[:24]}:{uuid4().hex[:8]}"
        body = order.model_dump(mode="json", exclude_unset=True)

        again = "the same order may be sent again, and is accepted once"
        answer = await self._ask_or_begin(
            order.account.account_id, update, body, update_id, again, company=order.account.name
        )
        return OrderAnswer.model_validate(answer)

    async def take_up_holdings(
        self, account_id: str, *, import_id: str, assets: int, contracts: Sequence[str]
    ) -> dict[str, Any]:
        """Has imported assets and contracts, which are in the facts already, looked after; begins the journey if there is none."""
        body = {"request_id": import_id, "by": "import", "assets": assets, "contracts": list(contracts)}
        again = "the same import may be sent again"
        return await self._ask_or_begin(account_id, "take_up_holdings", body, f"{import_id}:{uuid4().hex[:8]}", again)

    async def reconcile(self, account_id: str, *, by: str = "operator") -> dict[str, Any]:
        """Brings a customer's agenda to what follows from the facts, and begins the journey if none runs: what was otherwise.

        A customer whose clock was moved, and whose journey begins anew, lives on from the last instant that is on record.
        """
        answer = await self._reconciled(account_id, by)
        known = datetime.fromisoformat(answer["as_of"])
        if known > present() and known > await self.now(account_id):
            await self._move_journey(account_id, known)
            await self._reconciled(account_id, by)  # so that it knows of the time even if nothing was due on the way
        return answer

    async def _reconciled(self, account_id: str, by: str) -> dict[str, Any]:
        request_id = f"reconcile-{uuid4().hex[:12]}"
        body = {"request_id": request_id, "by": by}
        return await self._ask_or_begin(account_id, "reconcile", body, request_id, "it may be asked again")

    async def agenda_of(self, account_id: str) -> Running | None:
        """What the journey has on its agenda; null if none runs. Needs a worker."""
        return await self._journeys.agenda_of(journey_id(account_id), Running)

    async def _ask_or_begin(
        self,
        account_id: str,
        update: str,
        body: dict[str, Any],
        update_id: str,
        again: str,
        *,
        company: str | None = None,
    ) -> dict[str, Any]:
        if company is None and self._pool is not None:
            async with self._pool.acquire() as connection:
                company = await account_name(connection, account_id)

        row = Row(shortened(as_text(company)) if company else None, memo_of(company), account_id)
        return await self._journeys.begin_and_ask(journey_id(account_id), update, body, update_id, row, again)

    async def ask(self, account_id: str, update: str, request: dict[str, Any]) -> dict[str, Any]:
        """Sends an update such as `complete_task` or `answer_renewal`; its answer. A `request_id` makes a repetition harmless."""
        workflow_id, kind = journey_id(account_id), JOURNEY.get(update)
        if kind is None or self._vouching is None:
            update_id = str(uuid4())
        else:
            update_id = await self._vouching.update_id(workflow_id, kind, request)
        try:
            return await self._journeys.ask(workflow_id, update, request, update_id)
        except RPCError as error:
            raise _unknown_account(account_id, error) from error

    async def publish_prices(self, document: dict[str, Any], *, as_of: datetime) -> bool:
        """Publishes an edition of a price book, or one product's new price; see `gateway.prices.publish`."""
        if self._pool is None:
            raise RuntimeError("this client has no database; prices are written to the facts")
        return await publish(self._pool, document, as_of=as_of)

    async def preview_quote(self, account_id: str, request: dict[str, Any], *, as_of: datetime | None = None) -> Quote:
        """What `request_quote` would make of a request at `as_of` (the customer's present if not given); nothing is written.

        Send the same request with the `as_of` of the quote within a day, and it comes to the same amounts. Raises `Refusal`.
        """
        if self._pool is None:
            raise RuntimeError("this client has no database; a preview is made from the facts")
        at = as_of or await self.now(account_id)
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            return await preview(connection, account_id, read_request(RequestQuote, request), at)

    async def record_usage(self, rows: Sequence[UsageRow]) -> int:
        """Writes usage into the facts and tells the journeys whose use crossed a threshold. Returns how many were told.

        Usage of an account that no order has opened is kept, and counts once its first order comes. A day that is still to come
        is refused, and so is usage of an account that went on as part of another: the figures of a day are one report of both.
        """
        told = 0
        accounts: dict[str, list[UsageRow]] = {}
        for row in rows:
            accounts.setdefault(row.account_id, []).append(row)
        for account_id, own in accounts.items():
            told += await self._record_usage_of(account_id, own)
        return told

    async def _record_usage_of(self, account_id: str, rows: list[UsageRow]) -> int:
        if self._pool is None:
            raise RuntimeError("this client has no database; usage is written to the facts")
        latest = max(row.day for row in rows)
        if latest > (last := await self.last_reportable(account_id, latest)):
            problem = Problem(
                field="day", problem=f"{latest} is still to come; {last} is the last day that can be reported"
            )
            raise Refusal("InvalidUsage", "the usage cannot be recorded", [problem])
        async with self._pool.acquire() as connection, connection.transaction():
            await lock_usage(connection, [account_id])
            if (other := await part_of(connection, account_id)) is not None:
                raise merged(account_id, other)
            products = await sold_products(connection, account_id)
            if not products:
                await save_usage(connection, rows)
                return 0
            if refusal := never_sold(account_id, {row.product for row in rows}, products):
                raise refusal
            told = await latest_usage_day(connection, account_id)
            as_of = known_after(max(latest, told or latest))
            # As the report before left it: measured today, days that have passed since would have moved it already.
            before = usage_level(await load_situation(connection, account_id, known_after(told or latest)))
            written = await save_usage(connection, rows)
            level = usage_level(await load_situation(connection, account_id, as_of))
        # A report that changes nothing was sent before, perhaps by a process that died before it could tell: tell again.
        if level is None or (level == before and written) or not calls_for_a_look(before, level):
            return 0
        figures = [(row.product, row.day.isoformat(), row.active_users) for row in rows if row.feature is None]
        return await self._tell(Crossed(account_id, level, as_of), figures)

    async def record_batch(self, batch: UsageBatch) -> tuple[int, Mapping[Pair, Refusal]]:
        """As `record_usage`, for what a file says of many accounts: how many journeys were told, and what was refused of which accounts."""
        if self._pool is None:
            raise RuntimeError("this client has no database; usage is written to the facts")
        recorded = await record_batch(self._pool, batch)
        figures = figures_of(batch, {crossed.account_id for crossed in recorded.crossed})
        told = [await self._tell(crossed, figures[crossed.account_id]) for crossed in recorded.crossed]
        return sum(told), recorded.refused

    async def _tell(self, crossed: Crossed, figures: Sequence[Figure]) -> int:
        """Tells a journey that its customer's use crossed a threshold; 0 if it is closed: the figures are on record."""
        content = f"{crossed.account_id}/{crossed.level}/{sorted(figures)}".encode()
        report = hashlib.sha256(content).hexdigest()[:16]  # what makes two reports the same
        signal = {"id": report, "at": crossed.as_of.isoformat(), "level": crossed.level}
        handle = self._handle(crossed.account_id)
        call = Call("usage_changed", handle.id, report, "the same figures may be reported again")
        with MayBeGone():
            await insist(lambda: handle.signal("usage_changed", signal), call, self._within)
            return 1
        return 0

    async def last_reportable(self, account_id: str, latest: date) -> date:
        """The last day of which an account's usage can be reported, if days up to `latest` shall be: the one that has begun anywhere.

        Of a customer whose clock was moved it is the last one on record, and beyond that what their journey says, if it is still there.
        """
        last = _begun_anywhere(present())
        if latest <= last or self._pool is None:
            return last
        async with self._pool.acquire() as connection:
            recorded = await latest_effect(connection, account_id)
        if recorded is not None:
            last = max(last, _begun_anywhere(recorded))
        if latest <= last:
            return last
        with MayBeGone():
            return max(last, _begun_anywhere(await self._clocks.told(journey_id(account_id))))
        return last  # nobody is there to be asked

    async def unknown_accounts(self, ids: Sequence[str]) -> list[str]:
        """Those of these accounts that no order has opened."""
        if self._pool is None:
            raise RuntimeError("this client has no database; accounts are read from the facts")
        async with self._pool.acquire() as connection:
            return await unknown_accounts(connection, ids)

    async def look_at_renewals(self, account_id: str) -> dict[str, int]:
        """What is due before the renewals of one customer in their own time, as the daily look does with all: for rehearsals, whose
        days pass faster."""
        if self._pool is None:
            raise RuntimeError("this client has no database; renewals are looked at in the facts")
        return await look_at_renewals(Performer(self._pool, ""), await self.now(account_id), [account_id])

    async def score_health(self, account_id: str) -> HealthRun:
        """Scores one customer in their own time, as the daily look does with all: for rehearsals, whose days pass faster."""
        if self._pool is None:
            raise RuntimeError("this client has no database; health is scored from the facts")
        return await run_health(self._pool, self.temporal, await self.now(account_id), [account_id])

    async def fast_forward(self, account_id: str, by: timedelta) -> datetime:
        """Moves the clock of one customer on a server that allows it. Returns the new time; earlier than asked if the journey ended."""
        return await self.fast_forward_to(account_id, await self.now(account_id) + by)

    async def fast_forward_to(self, account_id: str, until: datetime) -> datetime:
        """Moves the clock of one customer to `until`, and their open cases with it; all that is due on the way happens, in order."""
        if self._pool is None:
            return await self._move_journey(account_id, until)
        async with self._pool.acquire() as connection:
            await note_move(connection, account_id)
        return await move_together(
            self._pool, self._clocks, account_id, lambda at: self._move_journey(account_id, at), until
        )

    async def _move_journey(self, account_id: str, until: datetime) -> datetime:
        now = await self.now(account_id)
        while now < until:
            await self._clocks.move(journey_id(account_id), until)
            reached = await self.now(account_id)
            if not await self.is_running(account_id):
                return reached
            now = reached if reached > now else now + timedelta(seconds=1)
        return now

    async def now(self, account_id: str) -> datetime:
        """The customer's own time: the present, or later once it was fast-forwarded."""
        with MayBeGone():
            return await self._clocks.told(journey_id(account_id))
        raise Refusal(UNKNOWN_ACCOUNT, f"account {account_id!r} has no journey; place its first order")

    async def briefing(self, account_id: str) -> str:
        """The briefing that operators read in the Temporal UI, as Markdown. Needs a worker."""
        return await self._journeys.briefing_of(journey_id(account_id))

    async def is_running(self, account_id: str) -> bool:
        """True while the account's journey goes on."""
        handle = self._handle(account_id)
        call = Call("the question whether it runs", handle.id)
        description = await insist(handle.describe, call, self._within)
        return description.status is not None and description.status.name == "RUNNING"

    def _handle(self, account_id: str) -> WorkflowHandle[Any, Any]:
        return self._journeys.handle(journey_id(account_id))


def _begun_anywhere(at: datetime) -> date:
    """The latest local day that has begun at an instant: clocks are up to 14 hours ahead of UTC."""
    return (at.astimezone(UTC) + timedelta(hours=14)).date()


def _unknown_account(account_id: str, error: RPCError) -> Exception:
    """What to say when the server knows of no open journey; any other error stays what it is."""
    if not is_unknown(error):
        return error
    return Refusal(UNKNOWN_ACCOUNT, f"account {account_id!r} has no open journey; place its first order")
