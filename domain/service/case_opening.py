"""A case as it begins: its row, from the document and what is on record, and the answer to whoever opened it."""

from __future__ import annotations

from datetime import datetime

from domain.frame.case_words import CaseState
from domain.kernel.refusals import Problem, Refusal
from domain.service.assignment import priority_of
from domain.service.case import CaseAccount, CaseContact, CaseFile
from domain.service.casework import SKEW, CaseSituation, Work
from domain.service.opening import INVALID_CASE, CaseAnswer, OpenCase

_AS_SAID = (
    "case_id",
    "account_id",
    "asset_id",
    "contract_id",
    "order_id",
    "line_id",
    "impact",
    "urgency",
    "severity",
    "team",
)


def cannot_open(field: str, said: str, type: str = INVALID_CASE) -> Refusal:
    """Why a case is not opened."""
    return Refusal(type, "the case cannot be opened", [Problem(field=field, problem=said)])


def contact_of(document: OpenCase, account: CaseAccount | None, known: CaseContact | None) -> CaseContact:
    """Who the case is with: the one on record, with what the document says of them put over it."""
    about = {"language": account.language, "time_zone": account.time_zone} if account else {}
    given = document.contact.model_dump(exclude_none=True) if document.contact else {}
    return (known or CaseContact(**about)).having(**given)


def new_case(
    document: OpenCase, account: CaseAccount | None, contact: CaseContact, as_of: datetime, *, favoured: bool
) -> CaseFile:
    """The case's row. Raises `Refusal` (InvalidCase) for one that was opened in the future."""
    opened_at = document.opened_at or as_of
    if opened_at > as_of + SKEW:
        raise cannot_open("opened_at", f"{opened_at.isoformat()} lies in the future; leave it out for now")
    opened_at = min(opened_at, as_of)
    return CaseFile(
        **{name: getattr(document, name) for name in _AS_SAID},
        contact_id=contact.contact_id,
        contact=contact,
        subject=" ".join(document.subject.split()) or "(no subject)",
        channel=document.channel.value,
        category=document.category.value,
        product_code=document.product,
        priority=document.priority or priority_of(document.impact, document.urgency, favoured=favoured),
        status=CaseState.NEW,
        status_at=opened_at,
        opened_at=opened_at,
        last_activity_at=opened_at,
        parent_id=document.parent,
        follows_id=document.follows,
        planned_at=as_of,
        digest=document.digest(),
    )


def check_people(document: OpenCase, situation: CaseSituation) -> None:
    """Raises `Refusal` (InvalidCase) for an owner or a team that is none of ours."""
    if document.owner is not None and document.owner not in situation.staff:
        raise cannot_open("owner", f"{document.owner!r} is none of our people; check the id")
    if document.team is not None and document.team not in situation.teams:
        known = ", ".join(sorted(situation.teams)[:10]) or "none yet"
        raise cannot_open("team", f"there is no team {document.team!r}; there are {known}")


def answer_of(work: Work) -> CaseAnswer:
    """What whoever opened the case is told."""
    case = work.case
    return CaseAnswer(
        case_id=case.case_id,
        account_id=case.account_id,
        status=case.status.value,
        version=case.version,
        priority=case.priority.value,
        owner=case.owner_id,
        team=case.team,
        policy=case.policy_id,
        entitled=case.entitled,
        opened_at=case.opened_at,
        due={row.milestone: row.due_at for row in work.milestones.values() if row.due_at is not None},
    )
