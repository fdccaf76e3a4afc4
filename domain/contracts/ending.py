"""The end of a contract: what was planned for it falls away, and the customer hears of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from domain.contracts.news import after_the_end
from domain.contracts.renewal_quote import said_until
from domain.contracts.writes import SetContractStatus
from domain.frame.customer import AssetFacts, ContractFacts, ContractStatus
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.keys import StageId, StageKind
from domain.frame.notice_acts import act
from domain.frame.situation import Situation
from domain.frame.staff_tasks import TaskState
from domain.frame.state import Outcome, Stage, Step
from domain.frame.step_words import plain
from domain.frame.success_facts import OfferStatus
from domain.kernel.base import Write
from domain.orders.order import TERM_KINDS
from domain.success import helping, thanks
from domain.success.expansion import stage_of as offers_of
from domain.success.writes import DropOnboarding, SettleOffer

NOTHING_LEFT = "nothing of it is left"
NEVER_BEGAN = "it was given up before it began"
OVER_BEFORE = "over before it was recorded"
NOTICE_GIVEN = "notice was given"
"""Of a contract without an end."""
NO_CHURN = frozenset({NOTHING_LEFT, NEVER_BEGAN, OVER_BEFORE})
"""Ends of contracts that nobody was asked about."""
CHURN_TASK = "renewal/churn"
_DAYS_TO_FIND_OUT = 5
_MOST_LEFT = 5


def nothing_left(situation: Situation, contract: ContractFacts) -> bool:
    """True if of all assets of a contract none has units at the end of its term."""
    assets = list(situation.customer.assets_of(contract.contract_id))
    last = [asset.periods[-1] for asset in assets if asset.periods]
    return bool(assets) and not any(
        p.quantity and (p.ends_at is None or p.ends_at >= contract.term.ends_at) for p in last
    )


def goes_on_with_us(
    situation: Situation, contract: ContractFacts, *, over: Collection[str] = (ContractStatus.ENDED,)
) -> bool:
    """True if something sold for a term lasts beyond a contract's end: another contract whose status is not one of `over`, or
    what was renewed to a later day by itself."""
    ends_at = max(contract.term.ends_at, situation.as_of)
    others = any(c.status not in over for c in situation.customer.contracts if c.contract_id != contract.contract_id)
    return others or any(lasts_beyond(asset, ends_at) for asset in situation.customer.assets)


def lasts_beyond(asset: AssetFacts, instant: datetime) -> bool:
    """True for what is sold for a term, and has units after an instant."""
    last = asset.periods[-1] if asset.kind in TERM_KINDS and asset.periods else None
    return last is not None and last.quantity > 0 and (last.ends_at is None or last.ends_at > instant)


def churn_task(situation: Situation, contract: ContractFacts) -> OpenStaffTask:
    """Somebody is to find out why a contract is not renewed."""
    due_at, _ = situation.customer.morning(situation.in_days(_DAYS_TO_FIND_OUT))
    title = f"Find out why {contract.contract_id} is not renewed"
    reason = "Nobody knows the reason yet."
    return OpenStaffTask(f"{CHURN_TASK}/{contract.contract_id}", title, "owner", due_at, reason)


def win_back_step(situation: Situation, contract: ContractFacts, ended_at: datetime) -> Step | None:
    """The look whether a customer wants to come back whose last contract ended at an instant; null if the playbook has none."""
    days = situation.playbook.renewal.win_back_after
    if not days:
        return None
    day = situation.customer.day_of(ended_at) + timedelta(days=days)
    return situation.step("relationship_win_back", thanks.ANNIVERSARIES, f"win-back-{contract.contract_id}", day)


def end_contract(
    situation: Situation, contract: ContractFacts, stage: str, reason: str, *, ended_on: date | None = None
) -> Decision:
    """A contract ends: its `stage`, its offers and its onboarding are over, and with the last contract adoption is, too.

    `ended_on`: the last day on which it was kept running, if that is not the last of its term.
    """
    says = f"Contract {contract.contract_id} ended: {reason}"
    stages: dict[str, Stage | None] = {stage: None}
    drop = [stage]
    covered = [asset.asset_id for asset in situation.customer.assets_of(contract.contract_id)]
    for asset_id in covered:
        stages[offers_of(asset_id)] = None
        drop.append(offers_of(asset_id))
    others = any(
        c.status != ContractStatus.ENDED for c in situation.customer.contracts if c.contract_id != contract.contract_id
    )
    if not others:
        stages["adoption"] = None
        drop.append("adoption")
    settled: dict[str, str | None] = {f"renewal:{contract.contract_id}": None}
    writes: list[Write] = [SetContractStatus(contract.contract_id, ContractStatus.ENDED, reason, situation.as_of)]
    writes += [
        SettleOffer(offer.offer_id, OfferStatus.EXPIRED, "its contract ended", situation.as_of)
        for offer in situation.customer.offers
        if offer.is_open and offer.asset_id in covered
    ]
    if not others:
        settled |= {"low_adoption": None, "health_critical": None}
        writes += [CloseStaffTasks(key, situation.as_of, TaskState.TAKEN_BACK, outcome=says) for key in helping.KEYS]
    if (onboarding := _onboarding_over(situation, contract)) is not None:
        late = [t.name for t in situation.customer.tasks if t.stage == onboarding and t.is_open]
        stages[onboarding] = None
        drop.append(onboarding)
        settled |= {f"{word}:{onboarding}/{name}": None for name in late for word in ("late", "blocked")}
        writes += [
            DropOnboarding(onboarding),
            CloseStaffTasks(f"{onboarding}/", situation.as_of, TaskState.TAKEN_BACK, outcome=says),
        ]
    churned = reason not in NO_CHURN
    if churned and contract.churn is None:
        writes.append(churn_task(situation, contract))
    ahead = win_back_step(situation, contract, situation.as_of) if churned and not others else None
    told = [_told_owner(situation, contract, says, ended_on, ahead)] if churned else []
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id, "reason": reason}),
        Outcome(plan=[ahead] if ahead else [], stages=stages, drop=drop, attention=settled, said=[says]),
        writes,
        [
            _goodbye(
                situation, contract, ended_on, asks_why=churned and contract.churn is None and not _declined(contract)
            )
        ],
        told,
    )


def _told_owner(
    situation: Situation, contract: ContractFacts, says: str, ended_on: date | None, ahead: Step | None
) -> Notice:
    """What the owner hears of a customer who did not renew: why, as far as it is known, and what is left. `ahead`: the question
    whether they come back."""
    due_at, due_on = situation.customer.morning(situation.in_days(_DAYS_TO_FIND_OUT))
    said = contract.status_reason if _declined(contract) else ""
    why = (
        [f"Main reason: {plain(contract.churn)}."]
        if contract.churn
        else [
            *([f"They said: {said}"] if said else []),
            f"Nobody knows the main reason yet: please find it out by {due_on}.",
        ]
    )
    lines = [f"The last day was {_last_day(situation, contract, ended_on)}.", *why, *what_is_left(situation, contract)]
    if ahead is not None:
        lines.append(f"Whether they want to come back is looked at on {ahead.on}.")
    asked = () if contract.churn else (act("note_churn_reason", contract_id=contract.contract_id),)
    return Notice(says, lines, to="owner", due=None if contract.churn else due_at, acts=asked)


def what_is_left(situation: Situation, contract: ContractFacts) -> list[str]:
    """What a customer still has when a contract is over, in sentences for our people."""
    others = [one for one in situation.customer.contracts if one.contract_id != contract.contract_id]
    going_on = [one for one in others if one.status != ContractStatus.ENDED]
    left = [
        f"{one.contract_id} {'was declined and runs' if one.status == ContractStatus.DECLINED else 'goes on'} {said_until(one.term)}."
        for one in going_on
    ]
    if left:
        return left[:_MOST_LEFT] + ([f"{len(left) - _MOST_LEFT} more of them."] if len(left) > _MOST_LEFT else [])
    if goes_on_with_us(situation, contract):
        return ["What they own without a contract goes on."]
    return ["Nothing else that runs for a term is left."]


def _declined(contract: ContractFacts) -> bool:
    """True if the customer declined the renewal, and was asked for the reason then if they gave none."""
    return contract.status == ContractStatus.DECLINED and contract.status_reason != NOTICE_GIVEN


def _goodbye(situation: Situation, contract: ContractFacts, ended_on: date | None, *, asks_why: bool) -> Mail:
    """What the customer hears of it; `ended_on` as of `end_contract`."""
    context = {
        "contract_id": contract.contract_id,
        "ended_on": _last_day(situation, contract, ended_on).isoformat(),
        "stays": goes_on_with_us(situation, contract),
        "asks_why": asks_why,
        **after_the_end(situation, _last_day(situation, contract, ended_on), _billed_until(situation, contract)),
    }
    return Mail("contract_ended", context)


def _billed_until(situation: Situation, contract: ContractFacts) -> date:
    """The last day for which anything is invoiced: of what is only kept running after its term nothing is."""
    return situation.customer.day_of(min(contract.term.ends_at, situation.as_of) - timedelta(seconds=1))


def _last_day(situation: Situation, contract: ContractFacts, ended_on: date | None) -> date:
    over_at = min(contract.term.ends_at, situation.as_of)
    return ended_on or situation.customer.day_of(over_at - timedelta(seconds=1))


def _onboarding_over(situation: Situation, contract: ContractFacts) -> str | None:
    """The onboarding that ends with a contract: that of its order, unless another contract of the order lives."""
    if not contract.order_id:
        return None
    of_order = (c for c in situation.customer.contracts if c.order_id == contract.order_id)
    alive = any(c.status != ContractStatus.ENDED for c in of_order if c.contract_id != contract.contract_id)
    return None if alive else str(StageId(StageKind.ONBOARDING, contract.order_id))
