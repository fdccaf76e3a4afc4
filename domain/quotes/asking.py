"""A quote is asked for: priced from the facts of an instant, shown to the customer, or held until its discounts are approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from domain.assets.bundles import Relationship
from domain.assets.contract_dates import ContractTerms
from domain.assets.errors import BackdateError
from domain.assets.ledger import Ledger
from domain.catalogue.catalogue import Catalogue
from domain.catalogue.pricebook import PriceBook
from domain.frame.customer import ContractStatus
from domain.frame.ownership import POLICY, check_more_of
from domain.frame.situation import Situation
from domain.kernel.calendar import start_of_day, written_day
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal, named_refusals
from domain.quotes.pricing import price
from domain.quotes.quote import Quote
from domain.quotes.request_lines import QuoteRequest
from domain.quotes.requests import NewContract, RequestQuote
from domain.quotes.versions import QuoteFile

PREVIEW_AGE = timedelta(days=1)
"""A preview older than this is made again."""
_NOW = frozenset({"quantity", "price", "attributes", "end", "cancel", "swap"})
"""Changes that count from now on if nothing else is said."""


@dataclass(frozen=True)
class StoredQuote:
    """A quote on record: its file with the latest version, and what its acceptance needs beside it."""

    account_id: str
    file: QuoteFile
    requested_by: str
    terms: NewContract
    order_id: str | None = None

    @property
    def extent(self) -> int:
        """Of how many lines it is."""
        return len(self.file.current.lines)


@dataclass(frozen=True)
class Sources:
    """What a quote is made from besides the ledger."""

    catalogue: Catalogue
    book: PriceBook
    relationships: Sequence[Relationship] = ()


def instant_of(situation: Situation, request: RequestQuote) -> datetime:
    """The instant that a quote is made for: that of its preview, or now.

    Raises `Refusal` for a preview that is too old or of the future.
    """
    if request.as_of is None:
        return situation.as_of
    age = situation.as_of - request.as_of
    if not timedelta(0) <= age <= PREVIEW_AGE:
        problem = Problem(
            field="as_of", problem=f"is not within the day before {situation.as_of.isoformat()}; preview again"
        )
        raise Refusal(INVALID_REQUEST, "the quote cannot be made", [problem])
    return request.as_of


def make_quote(situation: Situation, request: RequestQuote, sources: Sources, as_of: datetime, version: int) -> Quote:
    """The quote for a request: what a preview shows, and what is stored. Raises `Refusal`."""
    ledger = Ledger(policy=POLICY, assets=dict(situation.records))
    with named_refusals():
        wanted = quote_request(situation, request, as_of, version)
        _check_contracts(situation, wanted)
        made = price(
            sources.catalogue,
            sources.book,
            ledger,
            wanted,
            request.discounts,
            as_of=as_of,
            relationships=sources.relationships,
        )
    last = situation.customer.day_of(as_of) + timedelta(days=wanted.valid_days)
    return made.having(valid_until=situation.customer.end_of(last))


def _check_contracts(situation: Situation, wanted: QuoteRequest) -> None:
    """Refuses more units under a contract that has ended."""
    for line in wanted.lines:
        record = situation.records.get(line.asset_id) if line.kind == "quantity" and line.delta > 0 else None
        facts = situation.customer.asset(record.asset.asset_id) if record else None
        if record and facts and facts.contract_id is not None:
            check_more_of(record, facts.contract_id, situation.customer.contract(facts.contract_id))


def quote_request(situation: Situation, request: RequestQuote, as_of: datetime, version: int) -> QuoteRequest:
    """The request with every day as an instant of the customer's zone. Raises `Refusal`, and `BackdateError`."""
    account = situation.customer.account
    document: dict[str, Any] = {
        "quote_id": request.quote_id,
        "version": version,
        "account_id": account.account_id,
        "lines": [_line(situation, line, as_of, n) for n, line in enumerate(request.lines)],
        "role": request.role,
        "price_book": request.price_book,
        "currency": request.currency,
        "contract": _contract(situation, request.contract_id) if request.contract_id else None,
        "valid_days": request.valid_days or situation.playbook.quoting.valid_days,
        "time_zone": account.time_zone,
    }
    try:
        return QuoteRequest.model_validate(document)
    except ValidationError as error:
        raise Refusal.from_validation(INVALID_REQUEST, "the quote cannot be made", error) from None


def _contract(situation: Situation, contract_id: str) -> ContractTerms:
    contract = situation.customer.contract(contract_id)
    if contract is None or contract.status == ContractStatus.ENDED:
        known = [c.contract_id for c in situation.customer.contracts if c.status != ContractStatus.ENDED]
        near = get_close_matches(contract_id, known, n=1) or known
        said = f"{contract_id!r} is no contract of theirs that runs; use {' or '.join(near) or 'new_contract'}"
        raise Refusal(INVALID_REQUEST, "the quote cannot be made", [Problem(field="contract_id", problem=said)])
    zone, before = situation.customer.account.time_zone, contract.previous
    return ContractTerms(
        contract_id=contract_id,
        account_id=situation.customer.account.account_id,
        start=contract.term.starts_at,
        end=contract.term.ends_at,
        renewal_months=contract.renewal_months,
        open_ended=contract.term.is_open,
        coterminous=True,
        months_from=contract.months_from(zone),
        months_before=contract.months_from(zone, before.start_on) if before else None,
        begins=begins if (begins := (before or contract.term).starts_at) > situation.as_of else None,
    )


def _line(situation: Situation, line: Mapping[str, Any], as_of: datetime, number: int) -> dict[str, Any]:
    kind = line.get("kind", "sale")
    found = {"kind": kind, **line}
    zone = situation.customer.account.time_zone
    today = situation.customer.day_of(as_of)
    if kind == "sale":
        found.setdefault("start", today)
    elif str(kind) in _NOW:
        found.setdefault("effective", today)
    for name in ("start", "effective", "new_start"):
        if (day := written_day(found.get(name))) is not None:
            now = kind != "sale" and day == today
            found[name] = as_of if now else start_of_day(day, zone)
            if kind != "sale":
                _check_day(situation, day, today, f"lines[{number}].{name}")
    for name in ("end", "new_end"):
        if (day := written_day(found.get(name))) is not None:
            found[name] = start_of_day(day + timedelta(days=1), zone)
    return found


def _check_day(situation: Situation, day: date, today: date, field: str) -> None:
    if day < today and not situation.playbook.amendment.allow_backdating:
        raise BackdateError(f"{field}: {day} is before today, {today}; backdating is off for this customer")


def next_version(situation: Situation, request: RequestQuote, stored: StoredQuote | None) -> int:
    """The number of the version that a request makes. Raises `Refusal` for another account's quote, or a wrong number."""
    if stored is None:
        wanted = 1
    elif stored.account_id != situation.customer.account.account_id:
        raise Refusal(NOT_ALLOWED, f"quote {request.quote_id!r} is another account's; use an id of its own")
    else:
        wanted = stored.file.current.version + 1
    if request.version not in (None, wanted):
        problem = Problem(field="version", problem=f"must be {wanted}, the next one, or left out")
        raise Refusal(INVALID_REQUEST, "the quote cannot be made", [problem])
    return wanted
