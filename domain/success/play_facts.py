"""The facts of a customer that the condition of a play may ask for: a fixed set, each of one type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain.frame.case_words import Priority
from domain.frame.customer import ContactFacts, ContractFacts, ContractStatus
from domain.frame.sales_holds import HoldLevel
from domain.frame.situation import Situation
from domain.holds.guard import guard_of
from domain.kernel.calendar import MONTHS_IN_YEAR
from domain.orders.order import ContactRole
from domain.success.health import seat_use
from domain.success.introducing import has_sponsor
from domain.success.score_rules import Band

PlayValue = str | int | float | bool | list[str]
Found = PlayValue | None


@dataclass(frozen=True)
class About:
    """What a step of a play is about, beside the customer: a contract, or one of their contacts."""

    contract: ContractFacts | None = None
    contact: ContactFacts | None = None


@dataclass(frozen=True)
class PlayFact:
    """A fact: what it means, an example of its type, and how it is found; null while nobody knows it."""

    says: str
    like: PlayValue
    find: Callable[[Situation, About], Found]
    words: tuple[str, ...] = ()
    """all that it can be, if that is a list of words"""
    within: tuple[float, float] | None = None
    """the least and the most that a number can be"""


def _contract(situation: Situation, about: About) -> ContractFacts | None:
    """The contract that a play is about; else the one that ends first."""
    if about.contract is not None:
        return about.contract
    living = [one for one in situation.customer.contracts if one.status != ContractStatus.ENDED]
    return min(living, key=lambda one: one.term.until, default=None)


def _days_to_end(situation: Situation, about: About) -> Found:
    found = _contract(situation, about)
    return (found.term.until - situation.today).days if found and not found.term.is_open else None


def _renews(situation: Situation, about: About) -> Found:
    found = _contract(situation, about)
    return found.auto_renew if found else None


def _currencies(situation: Situation) -> list[str]:
    held = (asset for asset in situation.customer.assets if asset.at(situation.as_of))
    return sorted({asset.currency for asset in held})


def _arr(situation: Situation) -> Found:
    """In the customer's one currency; nobody knows the sum of two."""
    if len(_currencies(situation)) > 1:
        return None
    periods = (asset.at(situation.as_of) for asset in situation.customer.assets)
    return float(sum((period.mrr or Decimal(0) for period in periods if period), Decimal(0)) * MONTHS_IN_YEAR)


def _seats_share(situation: Situation) -> Found:
    uses = seat_use(situation.customer, situation.playbook, situation.as_of)
    seats = sum(use.seats for use in uses)
    return float(Decimal(sum(use.active for use in uses)) / seats) if seats else None


def _nps(situation: Situation) -> Found:
    answered = [one for one in situation.customer.surveys if one.score is not None]
    return answered[-1].score if answered else None


def _products(situation: Situation) -> Found:
    held = (one for one in situation.customer.assets if (at := one.at(situation.as_of)) and at.quantity)
    return sorted({one.product for one in held})


def _blocked(situation: Situation) -> bool:
    return any(hold.level is HoldLevel.BLOCK for hold in guard_of(situation).holds)


def _urgent(situation: Situation) -> int:
    return sum(case.priority in (Priority.URGENT, Priority.HIGH) for case in situation.service.running())


def _score(situation: Situation) -> Found:
    health = situation.customer.health
    return health[-1].score if health else None


_COUNT = (0.0, float("inf"))
_WORDS = tuple(band.value for band in Band)
PLAY_FACTS: Final[Mapping[str, PlayFact]] = {
    "segment": PlayFact("the customer's segment", "standard", lambda s, _: s.customer.account.segment),
    "country": PlayFact("ISO 3166 code of their country", "DE", lambda s, _: s.customer.account.country),
    "language": PlayFact("BCP 47 tag of their language", "en", lambda s, _: s.customer.account.language),
    "band": PlayFact(
        "band of the latest health score",
        "healthy",
        lambda s, _: s.customer.health[-1].band if s.customer.health else None,
        _WORDS,
    ),
    "score": PlayFact("the latest health score, 0 to 100", 70, lambda s, _: _score(s), within=(0, 100)),
    "arr": PlayFact(
        "recurring revenue of a year, if all is in one currency", 12000.0, lambda s, _: _arr(s), within=_COUNT
    ),
    "currency": PlayFact("that currency", "EUR", lambda s, _: c[0] if len(c := _currencies(s)) == 1 else None),
    "seats_share": PlayFact(
        "share of the paid seats in use, such as 0.42", 0.8, lambda s, _: _seats_share(s), within=_COUNT
    ),
    "open_cases": PlayFact("cases in which work is owed", 0, lambda s, _: len(s.service.running()), within=_COUNT),
    "urgent_cases": PlayFact("those of them that are urgent or high", 0, lambda s, _: _urgent(s), within=_COUNT),
    "blocked": PlayFact("whether service blocks sales", False, lambda s, _: _blocked(s)),
    "days_to_end": PlayFact("days to the end of the play's contract, else of the next to end", 90, _days_to_end),
    "auto_renew": PlayFact("whether that contract renews by itself", True, _renews),
    "contracts": PlayFact(
        "contracts that are not over",
        1,
        lambda s, _: sum(one.status != ContractStatus.ENDED for one in s.customer.contracts),
        within=_COUNT,
    ),
    "days_since_start": PlayFact(
        "days since they came to us", 100, lambda s, _: (s.today - s.customer.day_of(s.customer.account.since)).days
    ),
    "products": PlayFact("codes of what they own", ["CRM"], lambda s, _: _products(s)),
    "onboarded": PlayFact("whether no task of onboarding is open", True, lambda s, _: s.customer.onboarded()),
    "nps": PlayFact("their latest answer to the survey, 0 to 10", 9, lambda s, _: _nps(s), within=(0, 10)),
    "has_sponsor": PlayFact(
        "whether a sponsor who can be reached is among the contacts",
        True,
        lambda s, _: has_sponsor(s.customer.contacts),
    ),
    "contact_role": PlayFact(
        "role of the contact who was added, of a play that counts from that",
        "admin",
        lambda _, about: about.contact.role.value if about.contact else None,
        tuple(role.value for role in ContactRole),
    ),
}


def facts_of(situation: Situation, about: About, names: set[str]) -> dict[str, PlayValue]:
    """Those of the facts of these names that are known; `about`: what the play is about."""
    found = {name: PLAY_FACTS[name].find(situation, about) for name in sorted(names & PLAY_FACTS.keys())}
    return {name: value for name, value in found.items() if value is not None}
