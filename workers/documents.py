"""Every document that Perennial reads, by the name under which its JSON Schema is printed: files, and requests by update.

A request goes by the name of its update; those of a service case whose name a journey has too go by `case.` and the name.
"""

from __future__ import annotations

from pydantic import BaseModel

from domain.contracts.requests import (
    AmendAssets,
    AnswerRenewal,
    CancelAssets,
    ReceiveAssets,
    RenewAssets,
    RequestRenewal,
    RollBack,
    SwapAssets,
    TransferAssets,
)
from domain.frame.playbook import Playbook
from domain.holds.sales_requests import (
    AcknowledgeHold,
    AnswerLead,
    HandOverLead,
    LiftHold,
    OverrideHold,
    PlaceHold,
    ReleaseForRenewal,
    SellFromCase,
)
from domain.journey.account_changes import ChangeAccount, ChangeContacts
from domain.journey.installed_base import ImportedAsset
from domain.journey.requests import (
    CloseJourney,
    PauseJourney,
    Reconcile,
    RescheduleStep,
    ResumeJourney,
    RetryDeliveries,
    SkipStep,
)
from domain.journey.taking_up import TakeUpHoldings
from domain.mail.correspondence import NoteMail
from domain.orders.fulfilments import ReportFulfilment
from domain.orders.order import Order
from domain.orders.provisioning import ProvisioningRequest, ProvisioningResult
from domain.quotes.requests import AcceptQuote, ApproveQuote, DeclineQuote, RequestQuote
from domain.service.case_requests import (
    AddNote,
    AnswerCsat,
    Assign,
    Cancel,
    Close,
    CustomerMessage,
    DeEscalate,
    Escalate,
    Identify,
    Merge,
    Prioritise,
    Reopen,
    Resolve,
    Respond,
    Resume,
    Retry,
    Wait,
)
from domain.service.claim_requests import ApproveClaim, ClaimPriceMatch, DisputeRefund, GrantGoodwill, RejectClaim
from domain.service.opening import OpenCase
from domain.success.requests import AnswerOffer, AnswerSurvey, CompleteTask
from domain.success.usage import UsageRow
from workers.rehearsal.story import Story

Models = dict[str, type[BaseModel]]

FILES: Models = {
    "order": Order,
    "story": Story,
    "playbook": Playbook,
    "usage": UsageRow,
    "asset": ImportedAsset,
    "provisioning_request": ProvisioningRequest,
    "provisioning_answer": ProvisioningResult,
}
OF_JOURNEY: Models = {
    "place_order": Order,
    "import_order": Order,
    "complete_task": CompleteTask,
    "answer_renewal": AnswerRenewal,
    "request_renewal": RequestRenewal,
    "answer_offer": AnswerOffer,
    "answer_survey": AnswerSurvey,
    "pause": PauseJourney,
    "resume": ResumeJourney,
    "close_journey": CloseJourney,
    "skip_step": SkipStep,
    "retry_deliveries": RetryDeliveries,
    "reschedule_step": RescheduleStep,
    "amend_assets": AmendAssets,
    "renew_assets": RenewAssets,
    "cancel_assets": CancelAssets,
    "transfer_assets": TransferAssets,
    "receive_assets": ReceiveAssets,
    "swap_assets": SwapAssets,
    "rollback": RollBack,
    "request_quote": RequestQuote,
    "approve": ApproveQuote,
    "accept_quote": AcceptQuote,
    "decline_quote": DeclineQuote,
    "report_fulfilment": ReportFulfilment,
    "place_hold": PlaceHold,
    "lift_hold": LiftHold,
    "override_hold": OverrideHold,
    "acknowledge_hold": AcknowledgeHold,
    "release_for_renewal": ReleaseForRenewal,
    "hand_over_lead": HandOverLead,
    "answer_lead": AnswerLead,
    "sell_from_case": SellFromCase,
    "change_account": ChangeAccount,
    "change_contacts": ChangeContacts,
    "note_mail": NoteMail,
    "reconcile": Reconcile,
    "take_up_holdings": TakeUpHoldings,
}
OF_CASE: Models = {
    "open_case": OpenCase,
    "respond": Respond,
    "note": AddNote,
    "customer_message": CustomerMessage,
    "answer_csat": AnswerCsat,
    "wait": Wait,
    "resume": Resume,
    "resolve": Resolve,
    "reopen": Reopen,
    "merge": Merge,
    "close": Close,
    "cancel": Cancel,
    "assign": Assign,
    "escalate": Escalate,
    "de_escalate": DeEscalate,
    "prioritise": Prioritise,
    "identify": Identify,
    "retry": Retry,
    "claim_price_match": ClaimPriceMatch,
    "grant_goodwill": GrantGoodwill,
    "approve_claim": ApproveClaim,
    "reject_claim": RejectClaim,
    "dispute_refund": DisputeRefund,
}
DOCUMENTS: Models = {
    **{f"case.{name}" if name in OF_JOURNEY else name: model for name, model in OF_CASE.items()},
    **OF_JOURNEY,
    **FILES,
}
