"""The document that opens a case: who has which problem with what, and how they told us."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from domain.frame.case_words import CaseState, Level, Priority
from domain.kernel.base import Carried, Received
from domain.kernel.calendar import ZoneName, within_reach
from domain.kernel.ids import AccountRef, CaseRef, ContactRef, ContractRef, OrderRef, case_workflow_id
from domain.kernel.refusals import Problem, Refusal
from domain.kernel.requests import read_document
from domain.orders.order import Code, Language, MailAddress, Text

INVALID_CASE = "InvalidCase"
CASE_CONFLICT = "CaseConflict"

Actor = Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")]
"""Who did something: a staff id, `customer`, `system`, or another opaque id."""

_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
MessageText = Annotated[str, StringConstraints(max_length=100_000, pattern=_PRINTABLE)]
HeaderId = Annotated[str, StringConstraints(min_length=3, max_length=990, pattern=r"^[^\s\x00-\x1f\x7f]+$")]
"""A Message-ID with its angle brackets."""
Instant = Annotated[AwareDatetime, AfterValidator(within_reach)]


class CaseChannel(StrEnum):
    """How a message came or went."""

    MAIL = "mail"
    PHONE = "phone"
    WEB = "web"
    CHAT = "chat"
    VISIT = "visit"
    IMPORT = "import"


class CaseCategory(StrEnum):
    """What kind of matter a case is; some kinds hold sales back by themselves."""

    QUESTION = "question"
    INCIDENT = "incident"
    REQUEST = "request"
    COMPLAINT = "complaint"
    PRICE_MATCH = "price_match"
    REFUND_DISPUTE = "refund_dispute"
    SECURITY = "security"
    LEGAL = "legal"


class Correspondent(Received):
    """Somebody who is not among the account's contacts, or whose account is not known yet."""

    name: Text | None = None
    email: MailAddress | None = None
    phone: Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9+() ./-]*$")] | None = None
    language: Language | None = None
    time_zone: ZoneName | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.email is None and self.phone is None:
            raise ValueError("give an e-mail address or a telephone number, so that somebody can answer")
        return self


class OpenCase(Received):
    """A case to be opened. `account_id` is left out while nobody knows whose it is; then `contact` says who wrote.

    `priority` follows from impact and urgency, raised by one for favoured customers, unless it is given. `opened_at`
    is when the customer turned to us, never later than now; promises count from there. `automatic` marks a first
    message that no human wrote, or whose writer wants no automatic answer: no acknowledgement is mailed back to it.
    """

    case_id: CaseRef
    account_id: AccountRef | None = None
    contact_id: ContactRef | None = None
    contact: Correspondent | None = None
    subject: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_PRINTABLE)]
    body: MessageText = ""
    channel: CaseChannel = CaseChannel.WEB
    category: CaseCategory = CaseCategory.QUESTION
    impact: Level = Level.MEDIUM
    urgency: Level = Level.MEDIUM
    priority: Priority | None = None
    severity: Annotated[int, Field(ge=1, le=5)] | None = None
    product: Code | None = None
    asset_id: Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_PRINTABLE)] | None = None
    contract_id: ContractRef | None = None
    order_id: OrderRef | None = None
    line_id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,40}$")] | None = None
    owner: Actor | None = None
    team: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")] | None = None
    parent: CaseRef | None = None
    follows: CaseRef | None = None
    message_id: HeaderId | None = None
    references: Annotated[tuple[HeaderId, ...], Field(max_length=50)] = ()
    automatic: bool = False
    opened_at: Instant | None = None
    by: Actor = "customer"

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if self.account_id is None and self.contact is None:
            raise ValueError("give account_id, or contact with the address of whoever wrote")
        if self.account_id is None and self.contact_id is not None:
            raise ValueError("contact_id names a contact of an account; give account_id as well")
        if self.line_id is not None and self.order_id is None:
            raise ValueError("line_id names a line of an order; give order_id as well")
        return self

    def digest(self) -> str:
        """A fingerprint of the content: equal for equal documents, however their JSON was written."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        if self.opened_at is not None:
            content["opened_at"] = self.opened_at.timestamp()
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


class CaseAnswer(Carried):
    """What the opener of a case is told; the same document again gets the same answer again."""

    case_id: str
    account_id: str | None = None
    status: CaseState
    version: int = 1
    """which a request may expect: it is refused if the case has changed since"""
    priority: str
    owner: str | None = None
    team: str | None = None
    policy: str | None = None
    entitled: bool = False
    opened_at: AwareDatetime
    due: dict[str, AwareDatetime] = {}
    """when each promise of the case is due, by milestone"""


def check_opened_here(case: OpenCase, workflow_id: str) -> None:
    """Refuses to open a case in another one's workflow."""
    if workflow_id != (here := case_workflow_id(case.case_id)):
        said = f"this workflow is {workflow_id!r}; open the case at {here!r}"
        raise Refusal(INVALID_CASE, "the case cannot be opened", [Problem(field="case_id", problem=said)])


def read_case(document: Any) -> OpenCase:
    """The case in a JSON document. Raises `Refusal` (InvalidCase) that names each field that is wrong."""
    return read_document(OpenCase, document, INVALID_CASE, "the case cannot be opened")
