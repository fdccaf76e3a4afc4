"""Whatever can be asked of a journey and of a case, by area: the one list that handlers, activities, schemas and docs are made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.billing import entries as billing
from domain.contracts import entries as contracts
from domain.frame.keys import EffectKey, Word
from domain.frame.request_kinds import RequestKind
from domain.holds import entries as holds
from domain.journey import entries as journey
from domain.quotes import entries as quotes
from domain.service import claim_entries as claims
from domain.service import entries as service
from domain.success import entries as success

Kind = RequestKind[Any]

OF_JOURNEYS: dict[str, tuple[Kind, ...]] = {
    "Orders": journey.ORDERS,
    "Onboarding, offers, surveys": success.ENTRIES,
    "Renewals, and what the customer owns": contracts.ENTRIES,
    "Quotes": (*quotes.ENTRIES, *journey.QUOTES),
    "Payments": billing.ENTRIES,
    "Sales and service": holds.ENTRIES,
    "People, and how they are reached": journey.PEOPLE,
    "Tasks of our people": journey.TASKS,
    "Operators": journey.LEVERS,
}
OF_CASES: dict[str, tuple[Kind, ...]] = {"Service": service.ENTRIES, "Money given back": claims.ENTRIES}


def _by_update(areas: Iterable[tuple[Kind, ...]]) -> dict[str, Kind]:
    return {kind.update: kind for kinds in areas for kind in kinds}


JOURNEY = _by_update(OF_JOURNEYS.values())
CASE = _by_update(OF_CASES.values())
OPERATIONS = {**JOURNEY, **{kind.update if kind.opens else f"case_{kind.update}": kind for kind in CASE.values()}}
"""Every request by a name of its own, as the API, Nexus and tools call it: those of a case say so, but for what opens one."""
BEGINNINGS = frozenset({"place_order", "import_order", "open_case"})
"""What begins something: its document names the account or the case itself."""
_KNOWN_AS = {kind.known_as: kind for kind in reversed((*JOURNEY.values(), *CASE.values()))}


def kind_of_effect(key: str) -> Kind | None:
    """The request that is on record under the key of an effect; null for a step, or a kind that is no more."""
    return _KNOWN_AS.get(Word.parse(EffectKey.parse(key).what).word)


BY_ACTIVITY = {kind.answered_by: kind for kind in (*JOURNEY.values(), *CASE.values())}
