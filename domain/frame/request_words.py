"""Requests in words, for the bars of the Temporal UI: what is asked for, and of what. Ids alone, no names of people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from domain.frame.state import Channel, Delivery, StageKind
from domain.frame.step_words import occurrence, plain, shortened, subject_of

REQUESTS = {
    "accept_quote": "Quote accepted",
    "acknowledge_hold": "What holds sales back was read",
    "activate_order": "Order",
    "amend_assets": "Change of what they own",
    "answer_lead": "Answer to a lead",
    "answer_offer": "Answer to an offer of more seats",
    "answer_renewal": "Answer to a renewal",
    "answer_survey": "Answer to a survey",
    "approve_quote": "Decision on a quote's discounts",
    "cancel_assets": "Cancellation",
    "change_account": "Change of who looks after the customer, and how",
    "change_contacts": "Change of contacts",
    "close_journey": "End of the journey",
    "complete_task": "Task done",
    "decline_quote": "Quote declined",
    "hand_over_lead": "Lead from service",
    "lift_hold": "Hold lifted",
    "note_mail": "Mail of the customer",
    "override_hold": "Holds overridden",
    "pause_journey": "Pause",
    "place_hold": "Hold placed",
    "receive_assets": "Assets from another account",
    "reconcile": "Agenda brought to what follows from the facts",
    "release_for_renewal": "Decision whether a renewal may be talked about",
    "renew_assets": "Renewal by request",
    "report_fulfilment": "Report on a delivery",
    "request_renewal": "Wish for a renewal",
    "request_quote": "Quote asked for",
    "reschedule_step": "Step moved",
    "resume_journey": "Pause ends, what is overdue is looked at",
    "retry_deliveries": "What is on its way out is tried now",
    "roll_back": "Change taken back",
    "sell_from_case": "Sale from a case",
    "skip_step": "Step left out",
    "swap_assets": "Swap for another product",
    "take_over_order": "Order of the past",
    "take_up_holdings": "Installed base taken over",
    "transfer_assets": "Transfer to another account",
}
CASES = {
    "approve_claim": "Claim approved",
    "case_answer_csat": "Answer to the survey",
    "case_assign": "Somebody gets the case",
    "case_cancel": "Case cancelled",
    "case_close": "Case closed",
    "case_customer_message": "Message of the customer",
    "case_de_escalate": "Escalation ends",
    "case_escalate": "Escalation",
    "case_identify": "Whose case it is",
    "case_merge": "Merge into another case",
    "case_note": "Internal note",
    "case_open": "Case opened",
    "case_prioritise": "Another priority",
    "case_reopen": "Case opened again",
    "case_resolve": "Case resolved",
    "case_respond": "Answer to the customer",
    "case_resume": "Work goes on",
    "case_retry": "What could not be done is tried again",
    "case_unheard": "A journey did not hear of it: journalled",
    "case_wait": "The case waits",
    "case_wake": "What is due",
    "claim_price_match": "Price match claimed",
    "dispute_refund": "Refund disputed",
    "grant_goodwill": "Goodwill",
    "reject_claim": "Claim rejected",
}
_SUBJECTS = {
    "order_id": "order",
    "task": "task",
    "contract_id": "contract",
    "quote_id": "quote",
    "offer_id": "offer",
    "survey_id": "survey",
    "asset_id": "asset",
    "hold_id": "hold",
    "lead_id": "lead",
    "transfer_id": "transfer",
    "to_account": "to account",
    "case_id": "case",
    "claim_id": "claim",
    "into": "into case",
    "step": "",
    "decision": "",
    "by": "by",
}
"""Fields that are ids or words of ours, in the order in which they are named; whatever people have written is left out."""


_CHANNELS = {
    Channel.MAIL: "Mail",
    Channel.NOTICE: "Notice to our people",
    Channel.PROVISIONING: "Provisioning",
    Channel.WEBHOOK: "Webhook",
    Channel.CONVEYANCE: "Assets for another account",
}
_SEVERAL = {Channel.MAIL: "mails", Channel.NOTICE: "notices to our people"}
_STAGES = frozenset(kind.value for kind in StageKind)
_MADE_UP = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def delivery_in_words(delivery: Delivery) -> str:
    """Such as "Mail: notice, 60 days before the end, contract K-1": what is on its way, and which step or request has sent it."""
    return shortened(f"{_CHANNELS[delivery.channel]}: {_source_in_words(delivery)}")


def _source_in_words(delivery: Delivery) -> str:
    source = delivery.id.partition("#")[0]
    stage, _, name = source.partition("/")
    kind, _, rest = stage.partition(":")
    if kind == "case":
        done = name.partition("/")[0].partition(":")[0]
        return f"{(CASES.get(done) or CASES.get(f'case_{done}') or plain(done)).lower()}, case {rest}"
    if kind == StageKind.SERVICE.value:
        return "what holds sales back"
    if kind in _STAGES:
        return ", ".join(part for part in (occurrence(name), subject_of(stage)) if part)
    id = "" if _MADE_UP.fullmatch(rest) else rest
    return f"{REQUESTS.get(kind, plain(kind)).lower()} {id}".strip()


def deliveries_in_words(deliveries: Sequence[Delivery]) -> str:
    """Such as "2 mails and notice to our people: answer to an offer of more seats": what leaves together, and what has sent it."""
    counted = Counter(delivery.channel for delivery in deliveries)
    named = [_CHANNELS[channel] if count == 1 else f"{count} {_SEVERAL[channel]}" for channel, count in counted.items()]
    what = " and ".join([named[0], *(f"{one[0].lower()}{one[1:]}" for one in named[1:])])
    return shortened(f"{what}: {'; '.join(dict.fromkeys(map(_source_in_words, deliveries)))}")


def request_in_words(activity: str, body: Mapping[str, Any]) -> str:
    """Such as "Task done, order SO-1, task kickoff, by s-7": a request to a journey, by the activity that answers it."""
    return _words(REQUESTS.get(activity, activity.replace("_", " ").capitalize()), body)


def case_in_words(activity: str, body: Mapping[str, Any], why: str = "") -> str:
    """A request to a case, by the activity that answers it; for one instant of it `why` says what was due."""
    return shortened(why) if why else _words(CASES.get(activity, activity.replace("_", " ").capitalize()), body)


def _words(what: str, body: Mapping[str, Any]) -> str:
    named = [
        f"{word} {body[field]}".strip()
        for field, word in _SUBJECTS.items()
        if isinstance(body.get(field), str) and body[field]
    ]
    return shortened(", ".join([what, *named]))
