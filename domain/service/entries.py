"""What can be asked of a case."""

from __future__ import annotations

from functools import partial

from domain.frame.request_kinds import AGENTS, CALLERS, OPERATORS, PROGRAMS, RequestKind
from domain.service import case_changes, case_handling, case_merging, case_surveys
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
from domain.service.opening import OpenCase, check_opened_here, read_case

_kind = partial(RequestKind, asked_by=AGENTS, prefix="case_")

ENTRIES = (
    _kind(
        "open_case",
        OpenCase,
        None,
        "Case opened",
        asked_by=CALLERS | PROGRAMS,
        example='{"case_id": "C-17", "account_id": "acme", "subject": "Till is down", "body": "since this morning", "urgency": "high"}',
        activity="case_open",
        opens=True,
        reads=read_case,
        belongs=check_opened_here,
        id_field="case_id",
    ),
    _kind(
        "respond",
        Respond,
        case_changes.respond,
        "Answer to the customer",
        example='{"body": "A new cable is on its way.", "by": "s-7"}',
    ),
    _kind(
        "note",
        AddNote,
        case_changes.note,
        "Internal note",
        example='{"body": "Looks like a cable.", "shared": true, "by": "s-7"}',
    ),
    _kind(
        "customer_message",
        CustomerMessage,
        case_changes.customer_message,
        "Message of the customer",
        asked_by=CALLERS | PROGRAMS,
        example='{"body": "It is down again.", "channel": "phone", "at": "2027-03-12T09:00:00+09:00", "by": "customer"}',
    ),
    _kind(
        "answer_csat",
        AnswerCsat,
        case_surveys.answer,
        "Answer to the survey",
        asked_by=CALLERS,
        example='{"score": 5, "comment": "that was quick", "by": "customer"}',
    ),
    _kind(
        "wait",
        Wait,
        case_changes.wait,
        "The case waits",
        example='{"waiting_for": "customer", "reason": "the serial number", "until": "2027-03-15T09:00:00+09:00", "by": "s-7"}',
    ),
    _kind(
        "resume",
        Resume,
        case_changes.resume,
        "Work goes on",
        example='{"reason": "they called", "by": "s-7"}',
    ),
    _kind(
        "resolve",
        Resolve,
        case_changes.resolve,
        "Case resolved",
        example='{"code": "replaced", "text": "You have a new cable.", "by": "s-7"}',
    ),
    _kind(
        "reopen",
        Reopen,
        case_changes.reopen,
        "Case opened again",
        asked_by=CALLERS,
        example='{"reason": "it is down again", "by": "s-7"}',
    ),
    _kind(
        "merge",
        Merge,
        case_merging.merge,
        "Merge into another case",
        example='{"into": "C-12", "reason": "the same till", "by": "s-7"}',
    ),
    _kind(
        "close",
        Close,
        case_changes.close,
        "Case closed",
        asked_by=CALLERS,
        example='{"reason": "all is well", "by": "s-7"}',
    ),
    _kind(
        "cancel",
        Cancel,
        case_changes.cancel,
        "Case cancelled",
        asked_by=CALLERS,
        example='{"reason": "opened twice", "by": "s-7"}',
    ),
    _kind(
        "assign",
        Assign,
        case_handling.assign,
        "Somebody gets the case",
        example='{"owner": "s-8", "reason": "knows these tills", "by": "s-7"}',
        agents=True,
    ),
    _kind(
        "escalate",
        Escalate,
        case_handling.escalate,
        "Escalation",
        asked_by=CALLERS,
        example='{"reason": "three shops are closed", "to": "s-8", "by": "s-7"}',
    ),
    _kind(
        "de_escalate",
        DeEscalate,
        case_handling.de_escalate,
        "Escalation ends",
        example='{"reason": "the shops are open", "by": "s-8"}',
    ),
    _kind(
        "prioritise",
        Prioritise,
        case_handling.prioritise,
        "Another priority",
        example='{"urgency": "high", "reason": "more tills stand still", "by": "s-7"}',
    ),
    _kind(
        "identify",
        Identify,
        case_changes.identify,
        "Whose case it is",
        example='{"account_id": "acme", "contact_id": "P-1", "by": "s-7"}',
    ),
    _kind(
        "retry",
        Retry,
        None,
        "What could not be done is tried again",
        asked_by=AGENTS | OPERATORS,
        example='{"by": "s-7"}',
    ),
)
