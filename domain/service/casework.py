"""One piece of work on a case: what is known before, and everything that it changes, gathered to be written at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.claims.claims import Claim
from domain.frame.customer import StaffFacts
from domain.frame.mail_names import mail_in_words
from domain.frame.messages import OwnWords
from domain.frame.sales_holds import AskedBefore
from domain.frame.unreadable import Unreadable
from domain.kernel.business_clock import BusinessClock
from domain.kernel.refusals import NOT_ALLOWED, Problem, Refusal
from domain.kernel.zones import local_time
from domain.service.case import (
    CaseAccount,
    CaseFile,
    CsatFacts,
    Happened,
    MessageFacts,
    MilestoneFacts,
    Recorded,
    clock_events,
)
from domain.service.case_effects import CaseLine, CaseMail, CaseNotice, NewMessage, StaffTask
from domain.service.case_progress import CaseChanged, CaseView, Promise
from domain.service.desk import AgentFacts, Desk, TeamFacts
from domain.service.entitlements import ServicePolicy
from domain.service.history import CaseHistory, history_of
from domain.service.lifecycle import automatic_mail_allowed_at
from domain.service.milestone_timeline import Followed, follow
from domain.service.promising import promised
from domain.service.sales_side import sales_of, standing_of

SKEW = timedelta(minutes=2)
"""How far another clock may be ahead of ours before its instants are refused."""
SYSTEM = "system"
SAID_LENGTH = 90


@dataclass(frozen=True)
class CaseSituation:
    """Everything that a decision about a case may know at `as_of`."""

    case: CaseFile
    as_of: datetime
    desk: Desk
    account: CaseAccount | None = None
    events: list[Recorded] = field(default_factory=list)
    messages: list[MessageFacts] = field(default_factory=list)
    milestones: list[MilestoneFacts] = field(default_factory=list)
    fired: frozenset[str] = frozenset()
    surveys: list[CsatFacts] = field(default_factory=list)
    asked: list[AskedBefore] = field(default_factory=list)  # the latest that went to the contact's address
    claims: list[Claim] = field(default_factory=list)
    open_children: int = 0
    policy: ServicePolicy | None = None
    clocks: Mapping[str, BusinessClock] = field(default_factory=dict)
    teams: Mapping[str, TeamFacts] = field(default_factory=dict)
    staff: Mapping[str, StaffFacts] = field(default_factory=dict)
    agents: list[AgentFacts] = field(default_factory=list)
    seller: str = ""
    unreadable: list[Unreadable] = field(default_factory=list)
    """what is on record about the case and cannot be read"""


class Work:
    """Gathers what one request or wake changes. Nothing is written before all of it is known."""

    def __init__(self, before: CaseSituation, key: str, *, fresh: bool = False) -> None:
        self.before = before
        self.key = key
        self.fresh = fresh
        """true while the case is being opened: there is no row of it yet"""
        self.case = before.case
        self.as_of = before.as_of
        self.policy = before.policy
        self.clocks: Mapping[str, BusinessClock] = before.clocks
        self.events: list[Recorded] = []
        self.messages: list[NewMessage] = []
        self.mails: list[CaseMail] = []
        self.notices: list[CaseNotice] = []
        self.fired: dict[str, datetime] = {}
        self.withdrawn: list[str] = []
        self.tell: list[CaseChanged] = []
        self.lines: list[CaseLine] = []
        self.milestones: dict[str, MilestoneFacts] = {}
        self.surveys: list[CsatFacts] = []
        self.claims: list[Claim] = []
        self.memos: list[dict[str, Any]] = []
        """credit memos that were written for it, as other systems are told"""
        self.tasks: list[StaffTask] = []
        self.settled_tasks: list[str] = []
        self.absorbed_into: str | None = None
        self.resolution_from: datetime | None = None
        """since when the customer was promised what has just become this case's"""
        self.owed_since: datetime | None = None  # what the case that absorbs this one owes its customer since then
        self.goes_on = False  # whether the case that is absorbed was not done
        self.attention: dict[str, str | None] = {}
        self.answer: dict[str, Any] = {}
        self.next_at: datetime | None = None
        self.next_what = ""

    # What is known

    @property
    def case_id(self) -> str:
        """The case."""
        return self.case.case_id

    @property
    def clock(self) -> BusinessClock | None:
        """The clock of the case's calendar; none without a policy."""
        return self.clocks.get(self.case.calendar_id or "")

    def all_events(self) -> list[Recorded]:
        """Those on record, then the new ones."""
        return [*self.before.events, *self.events]

    def history(self) -> CaseHistory:
        """What promises are judged by."""
        return history_of(clock_events(self.all_events(), self.before.desk.rules))

    def has_fired(self, key: str) -> bool:
        """Whether an action was done before, or is among what is done now."""
        return key in self.before.fired or key in self.fired

    def followed(self, history: CaseHistory) -> tuple[Followed, ...]:
        """Every promise of the case, judged at `as_of`."""
        if self.policy is None or self.case.calendar_id is None:
            return ()
        calendar_id = self.case.calendar_id
        targets = promised(
            self.before.milestones,
            self.policy.milestones,
            self.case.priority,
            self.clocks,
            history,
            calendar_id=calendar_id,
            set_anew_at=self.as_of if self._other_targets() else None,
            resolution_from=self.resolution_from,
        )
        return follow(
            self.policy.milestones,
            self.case.priority,
            history,
            self.clocks,
            calendar_id=calendar_id,
            as_of=self.as_of,
            promised=targets,
        )

    def _other_targets(self) -> bool:
        """Whether this very work has brought another priority or policy."""
        now, before = self.case, self.before.case
        named = (before.policy_id, before.policy_version)
        return now.priority is not before.priority or (now.policy_id, now.policy_version) != named

    def moment(self, at: datetime | None, *, after: datetime | None = None) -> datetime:
        """When something happened: `at`, not later than now and not before the case was opened (or `after`).

        Raises:
            Refusal: an instant that cannot be.
        """
        if at is None:
            return self.as_of
        earliest = after or self.case.opened_at
        if at > self.as_of + SKEW or at < earliest:
            said = f"{at.isoformat()} must lie between {earliest.isoformat()} and now, {self.as_of.isoformat()}"
            raise Refusal(NOT_ALLOWED, "this cannot have happened then", [Problem(field="at", problem=said)])
        return min(at, self.as_of)

    # What changes

    def change(self, **fields: Any) -> None:
        """Other values for fields of the case."""
        self.case = self.case.having(**fields)

    def happened(
        self, kind: Happened, at: datetime, by: str, detail: dict[str, Any] | None = None, *, internal: bool = False
    ) -> None:
        """One more event of the case."""
        number = len(self.before.events) + len(self.events) + 1
        self.events.append(
            Recorded(
                sequence=number,
                at=at,
                recorded_at=self.as_of,
                kind=kind,
                by=by,
                detail=detail or {},
                visibility="internal" if internal else "shared",
            )
        )
        if kind in _ACTIVITY and at > self.case.last_activity_at:
            self.change(last_activity_at=at)

    def fire(self, key: str, at: datetime) -> None:
        """An action is done: it never is again."""
        self.fired[key] = at

    def report(self, what: str, at: datetime) -> None:
        """The customer's journey is to hear of it."""
        if self.case.account_id is not None:
            report = f"{self.case_id}:{len(self.before.events) + len(self.events)}:{what}"
            self.tell.append(CaseChanged(id=report, at=at, case_id=self.case_id, what=what))

    def report_standing(self) -> None:
        """The journey is to hear that the case holds sales back otherwise than before, if it hears of nothing else."""
        if any(one.into is None for one in self.tell):
            return
        before, account, as_of = self.before, self.before.account, self.as_of
        was = standing_of(before.case, account, before.milestones, before.surveys, as_of)
        now = standing_of(self.case, account, self._milestones(), [*before.surveys, *self.surveys], as_of)
        if now != was:
            self.report("standing", as_of)

    def _milestones(self) -> Iterable[MilestoneFacts]:
        """Those on record, as this work leaves them, and the new ones."""
        return {**{row.key: row for row in self.before.milestones}, **self.milestones}.values()

    def line(self, kind: str, title: str, at: datetime, by: str, **detail: Any) -> None:
        """A line of the customer's journal."""
        name = f"{kind}-{len(self.before.events) + len(self.events)}"
        self.lines.append(CaseLine(name, f"case_{kind}", title, at, {"case_id": self.case_id, "by": by, **detail}))

    def keep_message(self, message: NewMessage) -> None:
        """One more message of the thread."""
        self.messages.append(message)

    @property
    def reachable(self) -> bool:
        """Whether a mail to the customer can arrive, as far as is known."""
        return self.case.contact.email is not None and not self.case.contact.rejected

    def mail(self, mail: CaseMail, subject: str) -> bool:
        """A mail to the customer, as far as there is an address and enough is not enough. False: it was not written."""
        contact = self.case.contact
        if contact.email is None or not self.reachable:
            if not mail.automatic:
                self.attention["unreachable"] = "the customer has no working mail address; call them"
            self._held(mail, "no working address")
            return False
        if mail.automatic and not mail.asked_for and self.may_send_at() > self.as_of:
            self._held(mail, "enough automatic mails for one day")
            return False
        self.mails.append(mail)
        self.keep_message(
            NewMessage(
                direction="outbound",
                channel="mail",
                at=self.as_of,
                body=mail.body,
                subject=subject,
                recipient=contact.email,
                automatic=mail.automatic,
                template=mail.template,
                mail_id=mail.id,
            )
        )
        return True

    def may_send_at(self) -> datetime:
        """When the customer may get one more automatic mail: now, or later if it is enough for one day."""
        left = [one for one in self.before.messages if not one.withdrawn]
        sent = [one.at for one in left if one.direction == "outbound" and one.automatic]
        sent += [one.at for one in self.messages if one.direction == "outbound" and one.automatic]
        return automatic_mail_allowed_at(sent, self.as_of, self.before.desk.rules)

    def _held(self, mail: CaseMail, why: str) -> None:
        self.happened(Happened.MAIL_HELD, self.as_of, SYSTEM, {"template": mail.template, "why": why}, internal=True)

    def notify(
        self, key: str, recipients: Iterable[str], title: str, lines: list[str], due: datetime | None = None
    ) -> None:
        """Tells each of the recipients that there is, everybody once. A role without a person falls to the next one up."""
        said = [OwnWords(line) if line == self.case.subject else line for line in lines]
        people: dict[str, StaffFacts] = {}
        for role in recipients:
            if person := self.person(role):
                people.setdefault(person.staff_id, person)
        if not people:
            self.attention["nobody_to_tell"] = f"nobody is there to hear: {title}"
        for staff_id, person in people.items():
            self.notices.append(CaseNotice(f"{key}#{staff_id}", person, title, said, due))

    def copy(self, key: str, to: StaffFacts, title: str, lines: list[str], words: str) -> None:
        """Passes on to one of our people what somebody wrote."""
        self.notices.append(CaseNotice(key, to, title, lines, words=words))

    def person(self, role: str) -> StaffFacts | None:
        """Who fills a role for this case: owner, lead, manager, director, or sales, the account's rep."""
        sales = self.before.account.owner if self.before.account else None
        team = self.before.teams.get(self.case.team or "")
        ladder = {
            "owner": self.before.staff.get(self.case.owner_id or ""),
            "lead": team.lead if team else None,
            "manager": team.manager if team else None,
            "director": team.director if team else None,
        }
        if role == "sales":
            return sales
        if role not in ladder:
            return self.before.staff.get(role)
        upwards = list(ladder.values())[list(ladder).index(role) :]
        return next((person for person in upwards if person is not None), sales)

    def named(self, staff_id: str | None) -> str:
        """The name of one of our people, for people; of anybody else the id."""
        person = self.before.staff.get(staff_id or "")
        return person.name if person else staff_id or "none yet"

    # What comes of it

    def changed(self) -> bool:
        """True if anything happened that others should know before they act."""
        return any(event.kind not in _QUIET for event in self.events)

    def said(self) -> list[str]:
        """The lines that the briefing shows, each with its day where the customer lives."""
        account = self.before.account
        zone = account.time_zone if account else self.case.contact.time_zone
        return [
            f"{local_time(event.at, zone):%m-%d %H:%M} {_told(event)}"[:SAID_LENGTH]
            for event in self.events
            if event.kind not in _UNSAID
        ]

    def view(self) -> CaseView:
        """What the workflow has to know afterwards."""
        case, account = self.case, self.before.account
        rows = self._milestones()
        latest: dict[str, MilestoneFacts] = {}
        for row in rows:
            if row.milestone not in latest or row.number > latest[row.milestone].number:
                latest[row.milestone] = row
        return CaseView.model_validate(
            _without_nothing(
                {
                    "account_id": case.account_id,
                    "company": account.name if account else None,
                    "subject": case.subject[:120],
                    "status": case.status,
                    "reason": case.status_reason[:200],
                    "priority": case.priority,
                    "escalated": case.escalated,
                    "owner": case.owner_id,
                    "team": case.team,
                    "version": case.version,
                    "time_zone": account.time_zone if account else case.contact.time_zone,
                    "promises": [
                        Promise(name=row.milestone, state=_promise_state(row), due=row.due_at)
                        for row in latest.values()
                        if row.target is not None
                    ],
                    "next_at": self.next_at,
                    "next_what": self.next_what,
                    "sales": sales_of(case, account, rows, [*self.before.surveys, *self.surveys], self.as_of),
                }
            )
        )


_ACTIVITY = frozenset(
    {
        Happened.CREATED,
        Happened.CUSTOMER_MESSAGE,
        Happened.AGENT_MESSAGE,
        Happened.NOTE,
        Happened.RESOLVED,
        Happened.REOPENED,
        Happened.ESCALATED,
    }
)
_QUIET = frozenset({Happened.NOTE, Happened.MAIL_HELD, Happened.SURVEYED, Happened.RATED, Happened.FIRED})
_UNSAID = frozenset({Happened.NOTE, Happened.FIRED})


def _told(event: Recorded) -> str:
    detail = event.detail
    if event.kind is Happened.MAIL_HELD:
        return f"{mail_in_words(detail.get('template', 'mail'))} not sent: {detail.get('why', '')}"
    about = str(next(filter(None, map(detail.get, ("occurrence", "status", "owner", "into", "claim_id"))), ""))
    about = "" if about == event.kind.value else about.removesuffix(":1").replace("_", " ")
    return f"{event.kind.value.replace('_', ' ')}{f' {about}' if about else ''} by {event.by}"


def _promise_state(row: MilestoneFacts) -> str:
    if row.violated_at is not None and row.reversed_at is None and row.state in ("open", "paused"):
        return "late"
    return row.state


def _without_nothing(fields: dict[str, Any]) -> dict[str, Any]:
    """Only what is set, so that histories stay small."""
    return {key: value for key, value in fields.items() if value not in (None, "", False, [])}
