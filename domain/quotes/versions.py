"""The life of a quote as data: its versions, its state and what led there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from domain.assets.dates import Instant
from domain.catalogue.errors import QuoteStateError
from domain.frame.playbook import RoleLimit
from domain.kernel.base import Carried
from domain.quotes.approval import Approval, needs_approval, rank_of
from domain.quotes.pricing import check_not_expired
from domain.quotes.quote import Quote


class QuoteState(StrEnum):
    DRAFT = "draft"
    IN_APPROVAL = "in_approval"
    APPROVED = "approved"
    PRESENTED = "presented"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


_S = QuoteState
TRANSITIONS = MappingProxyType(
    {
        _S.DRAFT: frozenset({_S.IN_APPROVAL, _S.APPROVED, _S.EXPIRED}),
        _S.IN_APPROVAL: frozenset({_S.DRAFT, _S.APPROVED, _S.EXPIRED}),
        _S.APPROVED: frozenset({_S.PRESENTED, _S.EXPIRED}),
        _S.PRESENTED: frozenset({_S.ACCEPTED, _S.DECLINED, _S.EXPIRED}),
        _S.ACCEPTED: frozenset[QuoteState](),
        _S.DECLINED: frozenset[QuoteState](),
        _S.EXPIRED: frozenset[QuoteState](),
    }
)
"""Where a version of a quote can go. Another version makes a draft of every quote that is not accepted."""


class StateChange(Carried):
    """One step in a quote's life; `by` is an opaque reference to a person or a service."""

    at: Instant
    version: int
    state: QuoteState
    by: str
    reason: str | None = None


class QuoteFile(Carried):
    """A quote with all its versions; the last one counts."""

    quote_id: str
    versions: tuple[Quote, ...]
    state: QuoteState = QuoteState.DRAFT
    approval: Approval | None = None
    history: tuple[StateChange, ...] = ()

    @property
    def current(self) -> Quote:
        return self.versions[-1]


def open_file(quote: Quote, by: str) -> QuoteFile:
    """The file of a quote's first version."""
    first = StateChange(at=quote.as_of, version=quote.version, state=QuoteState.DRAFT, by=by)
    return QuoteFile(quote_id=quote.quote_id, versions=(quote,), history=(first,))


def revise(file: QuoteFile, quote: Quote, by: str) -> QuoteFile:
    """Put another version into the file, as a draft.

    Raises:
        QuoteStateError: The quote is accepted, or this is not its next version.
    """
    if file.state is QuoteState.ACCEPTED:
        raise QuoteStateError(f"{file.quote_id} is accepted; quote a change of what was sold")
    wanted = file.current.version + 1
    if (quote.quote_id, quote.version) != (file.quote_id, wanted):
        raise QuoteStateError(
            f"{quote.quote_id} version {quote.version} does not follow; make {file.quote_id} version {wanted}"
        )
    change = StateChange(at=quote.as_of, version=wanted, state=QuoteState.DRAFT, by=by)
    return file.having(
        versions=(*file.versions, quote), state=QuoteState.DRAFT, approval=None, history=(*file.history, change)
    )


def submit(file: QuoteFile, limits: Sequence[RoleLimit], at: datetime, by: str) -> QuoteFile:
    """A draft is approved at once, or waits for the role that may give its discounts.

    Raises:
        DiscountLimitError: No role may.
    """
    approval = needs_approval(file.current, limits)
    moved = _move(file, QuoteState.IN_APPROVAL if approval else QuoteState.APPROVED, at, by)
    return moved.having(approval=approval)


def approve(file: QuoteFile, limits: Sequence[RoleLimit], role: str, at: datetime, by: str) -> QuoteFile:
    """Approval by the role that is asked, or by one above it."""
    if file.state is not QuoteState.IN_APPROVAL or file.approval is None:
        raise QuoteStateError(f"{file.quote_id} is {file.state}; nobody's approval is asked for")
    if rank_of(role, limits) < rank_of(file.approval.role, limits):
        raise QuoteStateError(f"{file.quote_id} waits for {file.approval.role}; {role} may not approve it")
    return _move(file, QuoteState.APPROVED, at, by)


def reject(file: QuoteFile, at: datetime, by: str, reason: str) -> QuoteFile:
    """No approval: the quote is a draft again."""
    return _move(file, QuoteState.DRAFT, at, by, reason).having(approval=None)


def present(file: QuoteFile, at: datetime, by: str) -> QuoteFile:
    """Show the quote to the customer."""
    return _move(file, QuoteState.PRESENTED, at, by)


def accept(file: QuoteFile, at: datetime, by: str) -> QuoteFile:
    """The customer takes it. Twice is as once."""
    return file if file.state is QuoteState.ACCEPTED else _move(file, QuoteState.ACCEPTED, at, by)


def decline(file: QuoteFile, at: datetime, by: str, reason: str | None = None) -> QuoteFile:
    return _move(file, QuoteState.DECLINED, at, by, reason)


def expire(file: QuoteFile, at: datetime, by: str) -> QuoteFile:
    """The quote's time is over.

    Raises:
        QuoteStateError: It is still valid, or has been accepted or declined.
    """
    if at < file.current.valid_until:
        raise QuoteStateError(f"{file.quote_id} is valid until {file.current.valid_until.isoformat()}")
    return _move(file, QuoteState.EXPIRED, at, by)


def _move(file: QuoteFile, to: QuoteState, at: datetime, by: str, reason: str | None = None) -> QuoteFile:
    """The file in another state.

    Raises:
        QuoteStateError: No way leads there.
        QuoteExpiredError: The quote's time is over.
    """
    allowed = TRANSITIONS[file.state]
    if to not in allowed:
        ways = ", ".join(sorted(allowed)) or "nothing, unless another version is made"
        raise QuoteStateError(f"{file.quote_id} is {file.state} and cannot become {to}; it can become {ways}")
    if to is not QuoteState.EXPIRED:
        check_not_expired(file.current, at)
    change = StateChange(at=at, version=file.current.version, state=to, by=by, reason=reason)
    return file.having(state=to, history=(*file.history, change))
