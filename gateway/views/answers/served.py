"""What is told of people, tasks, holds, journeys and cases to whoever asked something of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime

from domain.frame.access import FieldGroup
from domain.kernel.money import Money
from gateway.views.shown import View


class TaskOfOnboarding(View):
    """A task of an onboarding. `due_on`: by when it is to be done now; `date_stands_still`: it waits for somebody else."""

    task: str
    completed_at: AwareDatetime | None = None
    open_tasks: list[str] | None = None
    waits_for: str | None = None
    date_stands_still: bool | None = None
    days: int | None = None
    due_on: date | None = None


class ReadyForMore(View):
    """Whether a customer is ready to be asked for more, and why."""

    ready: bool
    score: Annotated[int, FieldGroup.HEALTH]
    parts: Annotated[dict[str, int], FieldGroup.HEALTH]
    because: Annotated[list[str], FieldGroup.HEALTH]
    why_not: Annotated[str | None, FieldGroup.HEALTH]
    due: date | AwareDatetime | None = None


class SurveyAnswered(View):
    """The survey whose answer is kept."""

    survey_id: str


class ReferenceAnswered(View):
    """Whether they would be a reference. `lead_id`: what our people follow up."""

    reference_id: str
    decision: str
    lead_id: str | None = None


class HealthSaid(View):
    """What our people say of a customer's health counts until a day; `score` is what the figures say."""

    override_id: str
    until: AwareDatetime
    band: Annotated[str, FieldGroup.HEALTH]
    score: Annotated[int | None, FieldGroup.HEALTH]


class HoldStands(View):
    """A hold on sales: placed until an instant, or lifted."""

    hold_id: str
    level: str | None = None
    until: AwareDatetime | None = None
    lifted: bool | None = None


class HoldsOverridden(View):
    """Sales goes on until an instant, whatever these cases hold back."""

    override_id: str
    until: AwareDatetime
    cases: list[str]


class HoldsRead(View):
    """The warnings that somebody has read, and what they say."""

    acknowledged: list[str]
    says: list[str]


class ReleasedForRenewal(View):
    """Whether a case keeps a renewal back."""

    case_id: str
    released: bool


class LeadStands(View):
    """Where a lead stands. `merged`: it was known already; `why`: what holds it back."""

    lead_id: str
    status: str
    offer_id: str | None = None
    due_at: AwareDatetime | None = None
    why: str | None = None
    merged: bool | None = None
    sourced_by: str | None = None
    by: str | None = None


class AccountChanged(View):
    """What an account has now; `changed` names what was otherwise before."""

    account_id: str
    changed: list[str]
    playbook: str | None = None
    owner: str | None = None
    success_manager: str | None = None
    segment: str | None = None
    name: str | None = None
    country: str | None = None
    language: str | None = None
    time_zone: str | None = None


class ContactInRole(View):
    """Somebody at a customer, and what they are there."""

    contact_id: str
    role: str


class PersonErased(View):
    """A person who was erased: the erasure, the contact's id, and how many cells of the tables went."""

    erasure_id: str
    contact_id: str
    cells: int


class ContactsNow(View):
    """The people at a customer, as they are now."""

    contacts: list[ContactInRole]


class MailsChosen(View):
    """Which optional mails somebody gets no more of, and how many days lie between two."""

    declined: list[str]
    every_days: int | None


class MailNoted(View):
    """What is noted of an address."""

    unsubscribed: bool | None = None
    flagged: bool | None = None
    noted: bool | None = None


class StaffTaskStands(View):
    """Where a task of one of our people stands."""

    task_id: str
    state: str
    owner: str
    due_at: AwareDatetime
    snoozed_until: AwareDatetime | None = None
    outcome: Annotated[str | None, FieldGroup.NOTES] = None


class JourneyPaused(View):
    """Whether a journey rests; when it goes on, what was planned anew and what fell away."""

    paused: bool
    until: AwareDatetime | None = None
    planned: int | None = None
    dropped: list[str] | None = None


class DeliveriesRetried(View):
    """What could not leave is tried again."""

    retried: bool


class StepMoved(View):
    """A step that is left out, or comes at another time."""

    step: str | None = None
    at: AwareDatetime | None = None
    day: date | None = None
    skipped: str | None = None
    closed_task: str | None = None


class JourneyClosed(View):
    """The journey has ended."""

    closed: bool


class AgendaDifference(View):
    """Something that the agenda had otherwise than the facts."""

    kind: str
    about: str
    says: str


class AgendaCompared(View):
    """What an agenda had otherwise than the facts, and has no more."""

    account_id: str
    as_of: AwareDatetime
    differences: list[AgendaDifference]


class CaseStands(View):
    """Where a case stands, and what came of the request: a mail, another case, a claim."""

    case_id: str
    status: str
    version: int
    mailed: bool | None = None
    owner: str | None = None
    team: str | None = None
    escalated_for: list[str] | None = None
    priority: str | None = None
    into: str | None = None
    known: bool | None = None
    new_case: bool | None = None
    effect: str | None = None
    survey_id: str | None = None
    score: int | None = None


class ClaimStands(CaseStands):
    """Where a claim for money stands. `approval`: who decides; `due`: by when, while it waits."""

    claim_id: str
    kind: str
    refund: Annotated[Money, FieldGroup.PRICES]
    approval: str
    by: str
    at: AwareDatetime
    unit_now: Annotated[Decimal | None, FieldGroup.PRICES]
    price_version: Annotated[str | None, FieldGroup.PRICES]
    credit_memo: str | None
    due: AwareDatetime | None
