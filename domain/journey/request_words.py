"""Requests in words, for the bars of the Temporal UI: what is asked for, and of what. Ids alone, no names of people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from domain.frame.flight import Channel, Delivery
from domain.frame.keys import StageKind, StepKey, Word, case_of_delivery
from domain.frame.step_words import occurrence, plain, shortened, subject_of
from domain.journey.registry import BY_ACTIVITY

_BY_ITSELF = {"case_unheard": "A journey did not hear of it: journalled", "case_wake": "What is due"}
"""What a case does without being asked."""
_SUBJECTS = {
    "order_id": "order",
    "task": "task",
    "task_id": "task",
    "to": "to",
    "contract_id": "contract",
    "quote_id": "quote",
    "offer_id": "offer",
    "survey_id": "survey",
    "reference_id": "question",
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
    stage, name = StepKey.parse(source)
    kind, rest = Word.parse(stage)
    if case_of_delivery(source):
        done = Word.parse(StepKey.parse(name).stage).word
        return f"{_named(done, f'case_{done}').lower()}, case {rest}"
    if kind == StageKind.SERVICE.value:
        return "what holds sales back"
    if kind in _STAGES:
        return ", ".join(part for part in (occurrence(name), subject_of(stage)) if part)
    id = "" if _MADE_UP.fullmatch(rest) else rest
    return f"{_named(kind).lower()} {id}".strip()


def _named(*activities: str) -> str:
    """The words of the first activity that has some."""
    known = (BY_ACTIVITY[one].words if one in BY_ACTIVITY else _BY_ITSELF.get(one) for one in activities)
    return next(filter(None, known), plain(activities[0]).capitalize())


def deliveries_in_words(deliveries: Sequence[Delivery]) -> str:
    """Such as "2 mails and notice to our people: answer to an offer of more seats": what leaves together, and what has sent it."""
    counted = Counter(delivery.channel for delivery in deliveries)
    named = [_CHANNELS[channel] if count == 1 else f"{count} {_SEVERAL[channel]}" for channel, count in counted.items()]
    what = " and ".join([named[0], *(f"{one[0].lower()}{one[1:]}" for one in named[1:])])
    return shortened(f"{what}: {'; '.join(dict.fromkeys(map(_source_in_words, deliveries)))}")


def request_in_words(activity: str, body: Mapping[str, Any], why: str = "") -> str:
    """Such as "Task done, order SO-1, task kickoff, by s-7": a request, by the activity that answers it; for one instant of a case
    `why` says what was due."""
    if why:
        return shortened(why)
    named = [
        f"{word} {body[field]}".strip()
        for field, word in _SUBJECTS.items()
        if isinstance(body.get(field), str) and body[field]
    ]
    return shortened(", ".join([_named(activity), *named]))
