"""The shape of each request's answer, and what of one somebody is shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Any

from pydantic import AwareDatetime, BaseModel, ValidationError

from domain.frame.access import Principal
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import OPERATIONS
from domain.journey.taking_over import OrdersTaken
from domain.orders.order import OrderAnswer
from domain.service.opening import CaseAnswer
from gateway.views.answers import served, sold
from gateway.views.shown import View, without_hidden

_BY_SHAPE: tuple[tuple[type[BaseModel], str], ...] = (
    (OrderAnswer, "place_order import_order"),
    (OrdersTaken, "import_orders"),
    (CaseAnswer, "open_case"),
    (sold.LineStands, "report_fulfilment"),
    (served.TaskOfOnboarding, "complete_task block_task unblock_task reopen_task"),
    (sold.OfferAnswered, "answer_offer"),
    (served.ReadyForMore, "consider_expansion"),
    (served.SurveyAnswered, "answer_survey"),
    (served.ReferenceAnswered, "answer_reference"),
    (served.HealthSaid, "override_health"),
    (
        sold.RenewalAnswered,
        "answer_renewal request_renewal revise_renewal approve_renewal note_churn_reason set_renewal_category",
    ),
    (sold.AssetsChanged, "amend_assets renew_assets cancel_assets swap_assets rollback give_notice convert_contract"),
    (sold.AssetsSent, "transfer_assets merge_account"),
    (sold.AssetsReceived, "receive_assets"),
    (sold.GoesItsOwnWay, "unmerge_account"),
    (sold.QuoteStands, "request_quote approve decline_quote"),
    (sold.QuoteTaken, "accept_quote sell_from_case"),
    (sold.InvoiceSaid, "note_payment"),
    (sold.PaymentBooked, "book_payment"),
    (served.HoldStands, "place_hold lift_hold"),
    (served.HoldsOverridden, "override_hold"),
    (served.HoldsRead, "acknowledge_hold"),
    (served.ReleasedForRenewal, "release_for_renewal"),
    (served.LeadStands, "hand_over_lead answer_lead"),
    (served.AccountChanged, "change_account"),
    (served.ContactsNow, "change_contacts"),
    (served.PersonErased, "erase_person"),
    (served.MailsChosen, "choose_mails"),
    (served.MailNoted, "note_mail"),
    (served.StaffTaskStands, "finish_staff_task snooze_staff_task hand_over_staff_task reopen_staff_task"),
    (served.JourneyPaused, "pause resume"),
    (served.DeliveriesRetried, "retry_deliveries"),
    (served.StepMoved, "skip_step reschedule_step"),
    (served.JourneyClosed, "close_journey"),
    (served.AgendaCompared, "reconcile"),
    (sold.HoldingsTaken, "take_up_holdings"),
    (
        served.CaseStands,
        "case_respond case_note case_customer_message case_answer_csat case_wait case_resume case_resolve case_reopen"
        " case_merge case_close case_cancel case_assign case_escalate case_de_escalate case_prioritise case_identify"
        " case_retry case_dispute_refund",
    ),
    (served.ClaimStands, "case_claim_price_match case_grant_goodwill case_approve_claim case_reject_claim"),
)
ANSWERS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {name: model for model, names in _BY_SHAPE for name in names.split()}
)
"""The shape of each request's answer, by its name among all operations."""

_NAME_OF = {id(kind): name for name, kind in OPERATIONS.items()}


AnyAnswer: Any = reduce(or_, dict.fromkeys(ANSWERS.values()))
"""The answer of whichever request."""


class RequestOutcome(View):
    """What became of a request: `done` with its answer as far as it is for whoever looks, `open`, or the name of its refusal."""

    request_id: str
    status: str
    at: AwareDatetime
    answer: AnyAnswer | None


def operation_of(kind: RequestKind[Any]) -> str:
    """The name of a request among all operations."""
    return _NAME_OF[id(kind)]


def answer_for(who: Principal, kind: RequestKind[Any], answer: dict[str, Any]) -> dict[str, Any] | None:
    """What somebody is shown of what a request came to: all of it if they may ask the same, else without the fields that are not for
    them. Null for one of another shape, such as one of long ago."""
    if who.may_ask(kind):
        return answer
    try:
        return without_hidden(ANSWERS[operation_of(kind)].model_validate(answer), answer, who)
    except ValidationError:
        return None
