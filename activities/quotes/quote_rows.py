"""Quotes in tables: where each stands, its versions and what led there; contracts on paper; the orders that quotes make."""

from __future__ import annotations

from dataclasses import dataclass

from activities.frame.handlers import Handlers, Sql, Writing, inserted, on
from activities.kernel.computing import computed
from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from activities.kernel.queries import Models
from activities.orders.order_rows import LINE, ORDER
from activities.orders.tax_rows import rates_of_lines
from domain.assets.bundles import Relationship
from domain.assets.writes import Relate
from domain.journey.acceptance import Taken
from domain.kernel.calendar import local_day
from domain.quotes.approval import Approval
from domain.quotes.asking import StoredQuote
from domain.quotes.quote import Quote
from domain.quotes.requests import NewContract
from domain.quotes.versions import QuoteFile, QuoteState, StateChange
from domain.quotes.writes import LinkAssets, NoteContract, RecordSale, SaveQuote, SoldLine


async def load_quote(connection: Connection, quote_id: str) -> StoredQuote | None:
    """A quote with its latest version, its history and the approval that it waits for."""
    row = await connection.fetchrow(
        "select q.*, v.body, v.terms, a.body as approval from quote q"
        " join quote_version v on v.quote_id = q.quote_id and v.version = q.version"
        " left join quote_approval a on a.quote_id = q.quote_id and a.version = q.version and a.decision is null"
        " where q.quote_id = $1",
        quote_id,
    )
    if row is None:
        return None
    events = await connection.fetch(
        "select at, version, state, by, reason from quote_event where quote_id = $1 order by number", quote_id
    )
    body = row["body"]
    file = QuoteFile(
        quote_id=quote_id,
        versions=(await computed(len(body["lines"]), Quote.model_validate, body),),
        state=QuoteState(row["state"]),
        approval=Approval.model_validate(row["approval"]) if row["approval"] else None,
        history=tuple(StateChange.model_validate(dict(event)) for event in events),
    )
    terms = NewContract.model_validate(row["terms"])
    return StoredQuote(row["account_id"], file, row["requested_by"], terms, row["order_id"])


_QUOTE = inserted(
    "quote",
    "quote_id=after.quote_id account_id state=after.state version=after.current.version currency=after.current.currency"
    " amount=after.current.totals.amount valid_until=after.current.valid_until requested_by order_id",
    f"{or_update('quote_id', 'state version currency amount valid_until requested_by')},"
    " order_id = coalesce(excluded.order_id, quote.order_id)",
)
_VERSION = inserted(
    "quote_version",
    "quote_id=after.quote_id version=after.current.version as_of=after.current.as_of valid_until=after.current.valid_until"
    " currency=after.current.currency amount=after.current.totals.amount body terms",
    body=lambda _, write: write.after.current.model_dump(mode="json"),
)
_CHANGE = Insert("quote_event", "quote_id number at version state by reason").of(StateChange, "quote_id number")
_DECIDED = Sql(
    "update quote_approval set decision = :decision, decided_at = :as_of, decided_by = :by, decided_role = :decided_role,"
    " reason = :reason where quote_id = :after.quote_id and version = :before.current.version and decision is null",
    decision=lambda _, write: _decision(write),
    by=lambda _, write: write.after.history[len(write.before.history)].by,
    reason=lambda _, write: write.after.history[-1].reason or "",
)
_ASKED = inserted(
    "quote_approval",
    "quote_id=after.quote_id version=after.approval.version role=after.approval.role percent=after.approval.percent"
    " discount=after.approval.discount.amount currency=after.approval.discount.currency body asked_at=as_of due_at",
    body=lambda _, write: write.after.approval.model_dump(mode="json"),
)


async def _save_quotes(place: Writing, writes: list[SaveQuote]) -> None:
    """Each quote's row, and what it has more than before: a version, events, an approval that is asked for or decided."""
    for write in writes:
        before, after = write.before, write.after
        await _QUOTE(place, [write])
        if before is None or before.current.version != after.current.version:
            await _VERSION(place, [write])
        known = len(before.history) if before else 0
        events = enumerate(after.history[known:], known + 1)
        rows = [_CHANGE.row(event, quote_id=after.quote_id, number=number) for number, event in events]
        await _CHANGE.insert.add(place.connection, rows)
        if before is not None and before.approval is not None and before.state is QuoteState.IN_APPROVAL:
            await _DECIDED(place, [write])
        if after.approval is not None and after.state is QuoteState.IN_APPROVAL:
            await _ASKED(place, [write])


def _decision(write: SaveQuote) -> str:
    """What became of an approval: another version or the end of the quote's time withdraw it."""
    if write.timed_out:
        return "timed_out"
    if write.decided_role is None:
        return "withdrawn"
    return "rejected" if write.after.state is QuoteState.DRAFT else "approved"


_LINK = Sql("update asset set order_id = :order_id, line_id = :line.line_id where asset_id = :line.asset_id")
_EDGE = Sql(
    "insert into asset_relationship (parent_id, child_id, role, child_quantity, ratio, included_in_price)"
    " select :parent_id, :child_id, :role, :child_quantity, :ratio, :included_in_price"
    " where exists (select from asset where asset_id = :child_id) on conflict do nothing"
)


@dataclass(frozen=True)
class _Line:
    """A line of an order."""

    order_id: str
    line: SoldLine


_SALE = ORDER.of(RecordSale, "account_id activated_at activated_on recorded_at sells_goods imported")
_SOLD = LINE.of(SoldLine, "order_id site tax_rates ramp usage")


async def _record_sales(place: Writing, writes: list[RecordSale]) -> None:
    """The orders that accepted quotes make, with their lines."""
    for write in writes:
        day = local_day(write.at, place.customer.account.time_zone)
        given = {"account_id": place.account_id, "activated_at": write.at, "activated_on": day, "recorded_at": write.at}
        await _SALE.put(place.connection, [write], **given, sells_goods=write.goods, imported=False)
        sold = [[getattr(line, name) for line in write.lines] for name in ("product", "contract_id")]
        rates = await rates_of_lines(place.connection, place.account_id, *sold, write.order_id)
        taxed = zip(write.lines, rates, strict=True)
        rows = [
            _SOLD.row(one, order_id=write.order_id, site=None, tax_rates=its, ramp=None, usage=None)
            for one, its in taxed
        ]
        await LINE.copy(place.connection, rows)


async def _link_assets(place: Writing, writes: list[LinkAssets]) -> None:
    """Assets are of the lines of an order."""
    await _LINK(place, [_Line(write.order_id, line) for write in writes for line in write.lines if line.asset_id])


async def _relate(place: Writing, writes: list[Relate]) -> None:
    """Edges of bundles."""
    await _EDGE(place, [edge for write in writes for edge in write.edges])


_EVENT = "contract_id account_id status at quote_id quote_version recorded_at=as_of"

HANDLERS: Handlers = dict(
    [
        on(SaveQuote, _save_quotes),
        on(NoteContract, inserted("contract_event", _EVENT, "on conflict do nothing")),
        on(RecordSale, _record_sales),
        on(LinkAssets, _link_assets),
        on(Relate, _relate),
    ]
)


load_relationships = Models(
    Relationship,
    "select r.* from asset_relationship r join asset a on a.asset_id = r.parent_id where a.account_id = $1"
    " order by r.parent_id, r.child_id",
)
"""The edges of an account's bundles."""


async def taken_ids(connection: Connection, order_id: str, contract_id: str) -> Taken:
    """Whether an order of this id exists already, and the contracts that are named like this one."""
    order = await connection.fetchval("select 1 from sales_order where order_id = $1", order_id)
    rows = await connection.fetch(
        "select contract_id from contract where contract_id = $1 or starts_with(contract_id, $2)",
        contract_id,
        f"{contract_id}-",
    )
    return Taken(order=order is not None, contracts=frozenset(row["contract_id"] for row in rows))
