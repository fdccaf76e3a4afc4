"""What can be asked of a journey as it stands, with the ids that a request needs: nothing that would be refused at once."""

from __future__ import annotations

from domain.contracts import changes
from domain.contracts.consignments import TransferStatus
from domain.contracts.renewal_status import RenewalStatus
from domain.frame.keys import StageKind, Word, stage_id, stage_kind
from domain.frame.sales_holds import HoldLevel
from domain.frame.state import JourneyState, Stage
from domain.journey.catching_up import may_be_left_out
from domain.quotes.versions import QuoteState

_OWNING = frozenset({StageKind.RENEWAL, StageKind.ADOPTION, StageKind.EXPANSION, StageKind.REORDER})


def possible(state: JourneyState) -> list[str]:
    """Requests by name, each with the ids that it needs here; Markdown, a line each."""
    if state.closed:
        return ["`place_order` begins a new journey; this one is closed"]
    lines = [line for key, stage in state.stages.items() for line in _of_stage(state, key, stage)]
    return [*_levers(state), *lines, *_of_service(state), *_always(state)]


def _levers(state: JourneyState) -> list[str]:
    stuck = any(delivery.stuck for delivery in state.in_flight)
    lines = ["`resume`"] if state.paused or state.parked or stuck else []
    if state.in_flight:
        lines.append("`retry_deliveries`, once the provider works again")
    if any(may_be_left_out(step.kind) for step in [*state.agenda, *state.parked]):
        lines.append("`skip_step`, `reschedule_step` with the `step` in brackets above")
    return lines


def _of_stage(state: JourneyState, key: str, stage: Stage) -> list[str]:
    """What an open stage waits for."""
    kind, subject, _ = stage_id(key)
    match kind, stage.status:
        case StageKind.ONBOARDING, _ if stage.tasks:
            return [f"`complete_task` order_id=`{subject}`, task={_or(stage.tasks)}"]
        case StageKind.RENEWAL, RenewalStatus.WAITING | RenewalStatus.QUOTED | RenewalStatus.GRACE:
            return [f"`answer_renewal`, `request_renewal` contract_id=`{subject}`"]
        case StageKind.RENEWAL, RenewalStatus.DECLINED if (
            f"renewal:{subject}" in state.attention
        ):  # else nothing is left to renew
            return [f"`answer_renewal` contract_id=`{subject}`, decision=`accept`, which takes the decline back"]
        case StageKind.EXPANSION, _ if stage.tasks:
            return [f"`answer_offer` offer_id={_or(stage.tasks)}"]
        case StageKind.QUOTE, QuoteState.IN_APPROVAL:
            return [f"`approve` quote_id=`{subject}`"]
        case StageKind.QUOTE, QuoteState.PRESENTED:
            return [f"`accept_quote`, `decline_quote` quote_id=`{subject}`"]
        case StageKind.AMENDMENT, changes.SCHEDULED:
            return ["`rollback` of what is scheduled, until its day"]
        case _:
            return []


def _of_service(state: JourneyState) -> list[str]:
    service = state.stages.get("service")
    lines = []
    if service is not None and service.status in (HoldLevel.BLOCK, HoldLevel.WARN):
        lines.append("`acknowledge_hold`" + (", `override_hold`" if service.status == HoldLevel.BLOCK else ""))
    if state.holds:
        lines.append(f"`lift_hold` hold_id={_or(state.holds)}")
    if any(Word.parse(key).word == "renewal_held" for key in state.attention) and state.cases:
        lines.append(f"`release_for_renewal` case_id={_or([case.case_id for case in state.cases])}")
    leads = [task.removeprefix("lead ") for task in (service.tasks if service else []) if task.startswith("lead ")]
    return [*lines, *([f"`answer_lead` lead_id={_or(leads)}"] if leads else [])]


def _always(state: JourneyState) -> list[str]:
    kinds = {stage_kind(key) for key in state.stages}
    owning = bool(kinds & _OWNING)
    lines = []
    if owning:
        lines.append(
            "`amend_assets`, `renew_assets`, `cancel_assets`, `swap_assets`, `transfer_assets`, `request_quote`:"
            f" `perennial asset list {state.account_id}` names what they own"
        )
    if any(stage_kind(step.stage) is StageKind.FULFILMENT for step in state.agenda):
        lines.append("`report_fulfilment`")
    under_way = any(
        stage_kind(key) is StageKind.AMENDMENT and s.status == TransferStatus.UNDER_WAY
        for key, s in state.stages.items()
    )
    levers = ["place_order", "place_hold", "change_account", "change_contacts", "hand_over_lead"]
    levers += [] if state.paused else ["pause"]
    levers += [] if under_way else ["close_journey"]
    return [*lines, ", ".join(f"`{one}`" for one in levers)]


def _or(ids: list[str]) -> str:
    named = [f"`{one}`" for one in ids[:5]]
    return " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
