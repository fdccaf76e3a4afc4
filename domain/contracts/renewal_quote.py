"""What the next term of a contract costs: by the very change that an acceptance would make to the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from domain.assets.model import AssetAction
from domain.assets.renew import prices_before
from domain.assets.writes import AssetChange
from domain.contracts.writes import QuoteRenewal
from domain.frame.agreed import agreed_price
from domain.frame.customer import AssetFacts, ContractFacts, ContractStatus
from domain.frame.ownership import renewed
from domain.frame.situation import Situation
from domain.frame.term_facts import UNTIL_NOTICE, TermFacts
from domain.kernel.calendar import start_of_day
from domain.kernel.money import Rounding, money, rounding_of, to_minor_unit

FIRST_DAYS = 16
"""So many days of a term, or half of a shorter one, a customer has at least to say that it is the last."""


def last_day(term: TermFacts) -> date:
    return term.until - timedelta(days=1)


def said_until(term: TermFacts) -> str:
    """How long a term runs, for our people: "until 2027-12-31"."""
    return UNTIL_NOTICE if term.is_open else f"until {last_day(term)}"


def told_until(term: TermFacts) -> str | None:
    """The last day of a term, as answers and mails have it; null if it has no end."""
    return None if term.is_open else last_day(term).isoformat()


def next_term(situation: Situation, contract: ContractFacts) -> TermFacts:
    until = contract.end_after(contract.term.number + 1)
    return TermFacts(
        number=contract.term.number + 1,
        start_on=contract.term.until,
        until=until,
        starts_at=contract.term.ends_at,
        ends_at=start_of_day(until, situation.customer.account.time_zone),
    )


def assets_of_next_term(situation: Situation, contract: ContractFacts) -> list[tuple[AssetFacts, AssetChange]]:
    """What is owned when the term ends, each asset as the ledger has it for the next term."""
    term = next_term(situation, contract)
    # One id for each time that the term's dates were changed: a renewal that was taken back is no answer to the next.
    key = f"{contract.contract_id}:{term.number}" + (f".{contract.term.moves}" if contract.term.moves else "")
    found = []
    for asset in situation.customer.assets_of(contract.contract_id):
        span = (term.starts_at, term.ends_at)
        if change := renewed(situation.records, asset, span, contract, situation.as_of, key):
            found.append((asset, change))
    return found


def quote_renewal(situation: Situation, contract: ContractFacts) -> QuoteRenewal:
    """The price of the next term, by the very change that an acceptance would make: a line per asset and price."""
    changes = assets_of_next_term(situation, contract)
    found = [(asset, change.after.actions[-1]) for asset, change in changes]
    before = {
        asset.asset_id: prices_before(change.before, change.after.actions[-1].effective)
        for asset, change in changes
        if change.before is not None
    }
    return price_of_term(contract, contract.term.number + 1, found, situation.as_of, before)


def price_of_term(
    contract: ContractFacts,
    number: int,
    renewals: Sequence[tuple[AssetFacts, AssetAction]],
    as_of: datetime,
    before: Mapping[str, Mapping[int, Decimal]] = MappingProxyType({}),
) -> QuoteRenewal:
    """What term `number` of a contract comes to, by what renews each of its assets: units times price times months. `before`: what its
    lots cost until then, by asset; a line whose price rises or falls says it, and by how much."""
    lines: list[dict[str, Any]] = []
    total = Decimal(0)
    for asset, action in renewals:
        lots = _lots_of(action, rounding_of(contract.currency), before.get(asset.asset_id, {}))
        for (monthly, was), (quantity, amount) in lots.items():
            total += amount
            now = agreed_price(monthly, asset.per)
            line = {
                "product": asset.product_name,
                "quantity": quantity,
                "unit_price": money(now, contract.currency).told(),
                "per": asset.per.value,
                "amount": money(amount, contract.currency).told(),
            }
            if was is not None and (paid := agreed_price(was, asset.per)) != now:
                line["before"] = money(paid, contract.currency).told()
                line["change"] = money(now - paid, contract.currency).told()
            lines.append(line)
    return QuoteRenewal(
        f"Q-{contract.contract_id}-{number}",
        contract.contract_id,
        number,
        total,
        contract.currency,
        last_day(contract.term),
        lines,
        as_of,
    )


_Prices = tuple[Decimal, Decimal | None]
"""A price for a month, and the one before; null if that is not known."""


def _lots_of(
    action: AssetAction, rounding: Rounding, before: Mapping[int, Decimal]
) -> dict[_Prices, tuple[int, Decimal]]:
    """The units that a renewal sells and what they come to, by their prices: in all what the ledger books.

    Whole months at a price cost just that. Where something is renewed for a part of a month, what rounding the sum of the
    asset's costs adds or takes is shared by the lines; not so of an early renewal, whose change of that sum is also that of the
    term that it cuts short.
    """
    lots: dict[_Prices, tuple[int, Decimal]] = {}
    for source in action.sources:
        if source.start == action.effective and source.quantity > 0 and source.unit_price is not None:
            prices = (source.unit_price, before.get(source.lot))
            quantity, amount = lots.get(prices, (0, Decimal(0)))
            lots[prices] = (quantity + source.quantity, amount + (source.product_amount or 0))
    shares = sum((amount for _, amount in lots.values()), Decimal(0))
    early = any(source.quantity < 0 for source in action.sources)
    exact = left = shares + (Decimal(0) if early else action.adjustment_amount_change or Decimal(0))
    for prices, (quantity, amount) in lots.items():
        above, left = left, left - (exact * amount / shares if shares else amount)
        lots[prices] = quantity, rounding.apply(above) - rounding.apply(left)
    return lots


def notice_by(contract: ContractFacts) -> date:
    """The last day on which the customer can say no: within the notice if the contract renews by itself, else to its end.

    It is the contract's own and a day of the term; a notice of nearly the whole term leaves its first days to say no.
    """
    term = contract.term
    return last_to_answer(term.start_on, term.until, contract.notice_days, by_itself=contract.auto_renew)


def last_to_answer(start_on: date, until: date, notice_days: int, *, by_itself: bool) -> date:
    """The last day on which the customer can say what becomes of a term up to the day before `until`."""
    return last_to_decline(start_on, until, notice_days) if by_itself else until - timedelta(days=1)


def last_to_decline(start_on: date, until: date, notice_days: int) -> date:
    """The last day on which a contract that renews by itself can be declined, of a term up to the day before `until`."""
    length = (until - start_on).days
    longest = max(length // 2, length - FIRST_DAYS)
    return until - timedelta(days=max(1, min(notice_days, longest)))


def notice_context(situation: Situation, contract: ContractFacts, quote: QuoteRenewal | None) -> dict[str, Any]:
    """What the mail that announces the end of a term says, with the quote for the next one if there is any.

    `notice_over`: the last day on which the customer could say no has passed; the contract will renew by itself.
    """
    by_itself = contract.auto_renew and contract.status != ContractStatus.DECLINED
    last = notice_by(contract) if by_itself else last_day(contract.term)
    return {
        "contract_id": contract.contract_id,
        "term_end": last_day(contract.term).isoformat(),
        "auto_renew": by_itself,
        "notice_by": last.isoformat(),
        "notice_over": last < situation.today,
        "days_left": (last_day(contract.term) - situation.today).days,
        "quote": quote_context(situation, contract, quote) if quote else None,
        "unchanged": _unchanged(situation, contract) if quote and by_itself else None,
    }


def _unchanged(situation: Situation, contract: ContractFacts) -> dict[str, Any] | None:
    """What a contract renews by itself for, where the customer was offered something else; null where nothing else was."""
    offered, itself = contract.offered, contract.by_itself()
    if offered is None or offered == itself.offered:
        return None
    price = quote_renewal(situation, itself)
    return {
        "end": last_day(next_term(situation, itself)).isoformat(),
        "total": to_minor_unit(price.total, price.currency).told(),
        "units": sum(line["quantity"] for line in price.lines),
    }


def quote_context(situation: Situation, contract: ContractFacts, quote: QuoteRenewal) -> dict[str, Any]:
    """What mails say of a quote for the next term of `contract`."""
    following = next_term(situation, contract)
    return {
        "quote_id": quote.quote_id,
        "version": contract.offered.version if contract.offered else 1,
        "start": following.start_on.isoformat(),
        "end": last_day(following).isoformat(),
        "total": to_minor_unit(quote.total, quote.currency).told(),
        "valid_until": quote.valid_until.isoformat(),
        "lines": quote.lines,
    }
