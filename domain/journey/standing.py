"""How a customer stands beside their agenda: whose they are, their health, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.frame.state import AccountView, HealthView, OpenCaseView, Outcome
from domain.journey.agenda import Running

OF_ITS_OWN = ("delivery:", "stuck:", "parked:", "unreadable:", "unknown_message")
"""Beginnings of the reasons that a journey has by itself: what it could not do, send or understand."""


@dataclass(frozen=True)
class CustomerStanding:
    """What operators find a journey by; `attention`: what needs a person, and why, without what is the journey's own. What cannot be
    read, or is not on record, is null, and a journey shows of it what it shows."""

    account: AccountView | None
    health: HealthView | None = None
    attention: Mapping[str, str] = field(default_factory=dict)
    holds: list[str] | None = None
    """the holds that were placed by hand and stand"""
    cases: list[OpenCaseView] | None = None


def differences(standing: CustomerStanding, running: Running) -> Iterable[str]:
    """What a journey shows otherwise, in words. The words of a reason do not count: who was erased may have been named in them."""
    shown, wanted = running.account, standing.account
    if shown is not None and wanted is not None:
        for name in AccountView.model_fields:
            had, ought = getattr(shown, name), getattr(wanted, name)
            if had != ought:
                yield f"the journey shows {name.replace('_', ' ')} {had}, and ought to show {ought}"
    if running.attention is None:
        return
    if standing.health is not None and (running.health is None or running.health.band != standing.health.band):
        had = running.health.band if running.health is not None else "none"
        yield f"the journey shows health {had}, and ought to show {standing.health.band}"
    own = not_its_own(running.attention)
    for reason in sorted({*own, *standing.attention}):
        if reason not in own:
            yield f"the journey does not show that {reason} needs a person: {standing.attention[reason]}"
        elif reason not in standing.attention:
            yield f"the journey shows that {reason} needs a person, and nothing on record says so"


def mended(outcome: Outcome, standing: CustomerStanding, running: Running) -> Outcome:
    """An outcome that brings a journey to how its customer stands, too."""
    own = not_its_own(running.attention or {})
    attention: dict[str, str | None] = {key: why for key, why in standing.attention.items() if key not in own}
    attention |= dict.fromkeys(own.keys() - standing.attention.keys())
    return outcome.having(
        **{"account": standing.account} if standing.account is not None else {},
        **{"health": standing.health} if standing.health is not None else {},
        **{"attention": attention} if attention else {},
        **{"holds": standing.holds} if standing.holds is not None else {},
        **{"cases": standing.cases} if standing.cases is not None else {},
    )


def not_its_own(attention: Mapping[str, str]) -> dict[str, str]:
    """The reasons without those that a journey has by itself."""
    return {key: why for key, why in attention.items() if not key.startswith(OF_ITS_OWN)}
