"""What the assets under a contract say of its term: how long it runs, whether it was renewed, whether nothing is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from domain.assets.grid import Grid
from domain.assets.model import AssetAction, AssetRecord, Category, SellingModel, Subtype
from domain.frame.customer import ContractFacts
from domain.frame.term_facts import TermFacts
from domain.frame.unreadable import check_contract, unreadable_of
from domain.kernel.calendar import local_day, month_index, start_of_day

Records = Mapping[str, AssetRecord]


@dataclass(frozen=True)
class TermHoldings:
    """The assets under one contract, before and after a change."""

    before: Sequence[AssetRecord]
    after: Sequence[AssetRecord]

    @classmethod
    def of(cls, contract_id: str, before: Records, after: Records) -> TermHoldings:
        """Those of `contract_id` in two states of the ledger. Raises `UnreadableError` if one of them cannot be read."""
        check_contract([*unreadable_of(before), *unreadable_of(after)], contract_id)
        return cls(_under(contract_id, before.values()), _under(contract_id, after.values()))

    def lives_on(self, since: datetime | None = None) -> list[AssetRecord]:
        """The assets that a renewal would renew: with a term, units to its end, not cancelled, and not over by `since`."""
        return [
            record
            for record in self.after
            if not record.cancelled and record.end and units_at_end(record) and (since is None or record.end > since)
        ]

    def without_units(self, since: datetime) -> list[AssetRecord]:
        """The assets that are not over by `since` and were reduced to no units: they may be added again, up to their end."""
        return [record for record in self.after if record.end and record.end > since and _reduced_to_none(record)]

    def held_for_ever(self) -> bool:
        """True if something under the contract has no end."""
        return any(record.end is None and units_at_end(record) for record in self.after)

    def goes_on(self) -> bool:
        """True if something under the contract is without an end and not given up, whatever its units are: some may be added again."""
        return any(
            record.end is None and record.periods and record.asset.selling_model is not SellingModel.ONE_TIME
            for record in self.after
        )

    def held_until(self) -> datetime | None:
        """The instant from which nothing under the contract is held any more; null if nothing ever was."""
        return max((end for record in self.after if (end := held_until(record))), default=None)

    def new_actions(self, record: AssetRecord) -> Sequence[AssetAction]:
        """What the change added to an asset."""
        return record.actions[self._known.get(record.asset.asset_id, 0) :]

    @cached_property
    def _known(self) -> Mapping[str, int]:
        """How many actions each asset had before."""
        return {record.asset.asset_id: len(record.actions) for record in self.before}

    def prolonged(self) -> bool:
        """True if the change made an asset end later."""
        ends = {record.asset.asset_id: record.end for record in self.before}
        known = ((record.end, ends[id]) for record in self.after if (id := record.asset.asset_id) in ends)
        return any(end and before and end > before for end, before in known)

    def renewal_of(self, record: AssetRecord) -> AssetAction | None:
        """The renewal that the change brought to an asset, if it is in force."""
        new = {action.sequence for action in self.new_actions(record)}
        return next((a for a in record.active if a.sequence in new and a.category is Category.RENEWALS), None)

    def undone_renewals(self) -> list[AssetAction]:
        """The renewals that the change took back."""
        return [
            record.actions[action.undoes - 1]
            for record in self.after
            for action in self.new_actions(record)
            if action.subtype is Subtype.ROLLBACK and action.undoes and action.category is Category.RENEWALS
        ]

    def uncancelled(self) -> bool:
        """True if the change took back a cancellation."""
        return any(
            action.subtype is Subtype.ROLLBACK and action.category is Category.CANCELLATIONS
            for record in self.after
            for action in self.new_actions(record)
        )

    def renewed_from(self, instant: datetime) -> bool:
        """True if some asset has a renewal in force that begins at `instant`."""
        return any(a.category is Category.RENEWALS and a.effective == instant for r in self.after for a in r.active)


def _under(contract_id: str, records: Iterable[AssetRecord]) -> list[AssetRecord]:
    return [record for record in records if record.asset.contract_id == contract_id]


def units_at_end(record: AssetRecord) -> int:
    """What is held in an asset's last period."""
    return record.periods[-1].quantity if record.periods else 0


def _reduced_to_none(record: AssetRecord) -> bool:
    """True if an asset's last period has no units because some were taken away, not handed on, exchanged or cancelled."""
    if record.cancelled or not record.periods or units_at_end(record):
        return False
    taken = next(
        (action for action in reversed(record.active) if any(row.quantity < 0 for row in action.sources)), None
    )
    return taken is not None and taken.subtype is None and taken.category is Category.DOWNSELLS


def held_until(record: AssetRecord) -> datetime | None:
    """The end of the last period in which an asset has units; null if it has no end, or never had any."""
    return next((period.end for period in reversed(record.periods) if period.quantity), None)


def common_end(ends: Sequence[datetime], sold_until: datetime) -> datetime:
    """Where a contract's term ends once its assets end at `ends`: the day on which it must be talked about.

    That is the earliest end that is not before the one that was sold, so that nothing lapses unnoticed; if all assets end
    before it, the latest.
    """
    return min((end for end in ends if end >= sold_until), default=max(ends))


def first_day_after(instant: datetime, zone: str) -> date:
    """The first local day that lies wholly after what ends at `instant`."""
    day = local_day(instant, zone)
    return day if start_of_day(day, zone) == instant else day + timedelta(days=1)


def moved(term: TermFacts, ends_at: datetime, zone: str, *, starts_at: datetime | None = None) -> TermFacts:
    """A term with another end, and another start if one is given; its steps get new names. Itself if it would be empty."""
    start = starts_at or term.starts_at
    changed = term.having(
        starts_at=start,
        start_on=local_day(start, zone),
        ends_at=ends_at,
        until=first_day_after(ends_at, zone),
        moves=term.moves + 1,
    )
    return changed if changed.starts_at < ends_at and changed.start_on < changed.until else term


def period_end(contract: ContractFacts, day: date) -> date:
    """The first end of a period of a contract without an end, as the first day after it, that is not before `day`."""
    if contract.evergreen is None:
        raise ValueError(f"contract {contract.contract_id} has a term")
    start = contract.term.start_on
    grid = Grid(month_index(contract.billed_from or start), contract.anchor, contract.evergreen.months)
    return grid.after(max(day - timedelta(days=1), start))


def term_after(number: int, starts_at: datetime, ends_at: datetime, zone: str) -> TermFacts:
    """The term that follows term `number`, by instants."""
    return TermFacts(
        number=number + 1,
        start_on=local_day(starts_at, zone),
        until=first_day_after(ends_at, zone),
        starts_at=starts_at,
        ends_at=ends_at,
    )
