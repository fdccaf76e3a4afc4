"""When a change counts for invoices: on the first day on which something is otherwise, and not before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise

from domain.assets.anew import changes_ahead, unchanged, without
from domain.assets.errors import AssetError, LedgerCorruptError
from domain.assets.ledger import rebuild
from domain.assets.model import ActionType, AssetAction, AssetRecord, Category, Subtype
from domain.assets.worth import LedgerPolicy
from domain.kernel.calendar import local_day


@dataclass(frozen=True)
class InEffect:
    """An asset as invoices see it on a day: `now` for what is invoiced anew, `earlier` for what was invoiced before, and the
    later `days` on which something agreed changes them.

    `earlier` is the asset with none, one, two … of the `ends` that were moved nearer and are yet to come: what was invoiced when
    so many were agreed goes by that. It is as `now` where that has become longer.
    """

    now: AssetRecord
    earlier: Sequence[AssetRecord]
    days: Sequence[date] = ()
    ends: int = 0

    @property
    def paid(self) -> AssetRecord:
        """The asset without an end that was moved nearer."""
        return self.earlier[0]


@dataclass(frozen=True)
class _Ends:
    """Ends that were moved nearer and lie ahead: the actions, the day after the one that was agreed last, and where the asset ended
    before."""

    actions: Sequence[AssetAction] = ()
    day: date = date.min
    before: datetime | None = None

    @property
    def sequences(self) -> set[int]:
        return {action.sequence for action in self.actions}

    def since(self, number: int) -> _Ends:
        """Those from the `number`th on."""
        return (
            replace(self, actions=self.actions[number:], before=self.actions[number - 1].lifecycle_end)
            if number
            else self
        )

    @property
    def instants(self) -> tuple[datetime, ...]:
        return tuple(action.lifecycle_end for action in self.actions if action.lifecycle_end is not None)


def in_effect(record: AssetRecord, today: date, zone: str, policy: LedgerPolicy, *, billed: bool = True) -> InEffect:
    """The asset as if what is agreed for later days had not been: what was agreed since is carried out anew on what holds.

    Its sale counts (of what it took over, as it is until it changes), and that it was given up before it began. An end that
    was moved nearer counts for what is invoiced anew, as nobody is invoiced for what they will not have, and for what was
    invoiced on its day. `billed`: something was, so that another start changes it.
    """
    if not record.periods:
        return InEffect(record, (record,))  # given up before it began: nothing of it is left to wait for
    later = {
        action.sequence: day
        for action in record.active[1:]
        if (billed or action.subtype is not Subtype.START_DATE_ADJUSTMENT)
        and (day := _known_from(action, zone)) > today
    }
    begun = record.active[0]
    ahead = [at for at in changes_ahead(begun) if local_day(at, zone) > today]
    days = sorted({*later.values(), *(local_day(at, zone) for at in ahead)})
    first = unchanged(begun, ahead) if ahead else None
    now = _without(record, later, policy, first) if days else record
    if now is None:
        return InEffect(record, (record,))
    ends = _ends_ahead(now.active, today, zone) if billed else _Ends()
    if not ends.actions:
        return InEffect(now, (now,), days)
    parts = [ends.since(number) for number in range(len(ends.actions))]
    last = ends.actions[-1].lifecycle_end
    longer = [part.before and last and last < part.before for part in parts]
    earlier = [_with_its_end(now, part, policy) if long else None for part, long in zip(parts, longer, strict=True)]
    return InEffect(now, tuple(each or now for each in earlier), sorted({*days, ends.day}), len(parts))


def first_day(action: AssetAction, zone: str) -> date:
    """The first day on which something is otherwise: of a start that moves, the earlier of the two."""
    if action.subtype is Subtype.START_DATE_ADJUSTMENT and action.clears_from is not None:
        return local_day(min(action.effective, action.clears_from), zone)
    return local_day(action.effective, zone)


def _known_from(action: AssetAction, zone: str) -> date:
    """The first day of what a change brings: of a renewal after a gap that of the gap, in which units may be added."""
    day = first_day(action, zone)
    return (
        min(day, local_day(action.clears_from or action.effective, zone))
        if action.category is Category.RENEWALS
        else day
    )


def counts_from(record: AssetRecord, today: date, zone: str) -> date:
    """The day from which invoices heed the last action of an asset."""
    action = record.actions[-1]
    if not record.periods or action.undoes is not None:
        return today
    ends = _ends_ahead(record.active, today, zone)
    return max(today, ends.day if action.sequence in ends.sequences else first_day(action, zone))


def _ends_ahead(active: Sequence[AssetAction], today: date, zone: str) -> _Ends:
    found: list[AssetAction] = []
    before: datetime | None = None
    for last, action in pairwise(active):
        if action.type is ActionType.CANCEL or action.category is Category.RENEWALS:
            if first_day(action, zone) <= today:
                found = []  # what was agreed of an end is overtaken
        elif action.lifecycle_end != last.lifecycle_end and action.lifecycle_end and last.lifecycle_end:
            if not found and action.lifecycle_end < last.lifecycle_end:
                before = last.lifecycle_end
                found.append(action)
            elif found:
                found.append(action)
            if before and action.lifecycle_end >= before:
                found, before = [], None  # it was moved away again
    end = found[-1].lifecycle_end if found else None
    day = local_day(end, zone) if end else today
    return _Ends(found, day, before) if day > today else _Ends()


def _without(
    record: AssetRecord, sequences: Collection[int], policy: LedgerPolicy, first: AssetAction | None
) -> AssetRecord | None:
    """The asset without some actions, and with another first one; null if others cannot be without them."""
    try:
        return without(record, sequences, policy, first)
    except AssetError:
        return None


def _with_its_end(record: AssetRecord, ends: _Ends, policy: LedgerPolicy) -> AssetRecord | None:
    """The asset as long as it was before `ends`; null if others build on them."""
    first = min(ends.sequences)
    kept = [action for action in record.actions if action.sequence not in ends.sequences]
    kept = [_as_long_as_before(action, ends) if action.sequence > first else action for action in kept]
    try:
        periods = rebuild(record.asset, tuple(kept), policy)
    except LedgerCorruptError:
        return None
    return record.having(actions=tuple(kept), periods=periods)


def _as_long_as_before(action: AssetAction, ends: _Ends) -> AssetAction:
    """What was agreed after an end was moved holds up to that end; what it was agreed on goes on."""
    return action.having(lifecycle_end=ends.before, cuts=(*action.cuts, *ends.instants))
