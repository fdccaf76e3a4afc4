"""What the workflow of a case carries, is told and tells."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from domain.frame.case_words import CaseState, Priority
from domain.frame.flight import Channel, Delivery, Flying
from domain.kernel.base import Carried
from domain.service.case import ENDED


class CaseChanged(Carried):
    """What the customer's journey is told, by signal, or the case `into` which this one went up. The facts are in the
    database; `id` names this report."""

    id: str
    at: AwareDatetime
    case_id: str
    what: str
    into: str | None = None


class Promise(Carried):
    """A promise as the briefing shows it."""

    name: str
    state: str
    due: AwareDatetime | None = None


class CaseView(Carried):
    """What the workflow has to know of its case."""

    account_id: str | None = None
    company: str | None = None
    subject: str
    status: CaseState
    reason: str = ""
    priority: Priority
    escalated: bool = False
    owner: str | None = None
    team: str | None = None
    version: int
    time_zone: str
    promises: list[Promise] = []
    next_at: AwareDatetime | None = None
    next_what: str = ""
    sales: str = ""
    """what the case means for sales, in words"""


class CaseOutcome(Carried):
    """What an activity decided: all that the workflow learns of it. A null in `attention` removes the entry.

    `answer` is what the sender of a request is told; `repeated`: it is the answer of long ago, and nothing else follows.
    """

    view: CaseView | None = None
    deliveries: dict[str, Channel] = {}
    tell: list[CaseChanged] = []
    attention: dict[str, str | None] = {}
    said: list[str] = []
    answer: dict[str, Any] | None = None
    repeated: bool = False

    def again(self) -> CaseOutcome:
        """The same answer with no effect: for a request that was carried out long ago."""
        return CaseOutcome(answer=self.answer, repeated=True)


class CaseCall(Carried):
    """The input of every activity of a case. `run` and `repeated` tell a retry of this very call from a request sent again.

    `opening`: this run knows nothing of its case yet.
    """

    case_id: str
    request_id: str
    body: dict[str, Any] = {}
    as_of: AwareDatetime
    run: str = ""
    repeated: bool = False
    opening: bool = False
    update_id: str = ""
    """as in `RequestCall`"""


SAID_LINES = 6


ROLL_OVER_AFTER_EVENTS = 400


class CaseProgress(Flying):
    """All that outlives a run of a case's workflow. Facts live in the database."""

    case_id: str
    view: CaseView | None = None
    telling: list[CaseChanged] = []

    def after(self, outcome: CaseOutcome, now: datetime) -> CaseProgress:
        """The progress once `outcome` is applied."""
        attention = {**self.attention, **outcome.attention}
        return self.having(
            view=outcome.view or self.view,
            in_flight=[
                *self.in_flight,
                *(
                    Delivery(id=id, channel=channel, since=now)
                    for id, channel in outcome.deliveries.items()
                    if not any(delivery.id == id for delivery in self.in_flight)
                ),
            ],
            telling=[*self.telling, *outcome.tell],
            attention={key: why for key, why in attention.items() if why is not None},
            said=[*self.said, *outcome.said][-SAID_LINES:],
        )

    def told(self, id: str) -> CaseProgress:
        """Without a report that the journey has, or cannot have."""
        return self.having(telling=[one for one in self.telling if one.id != id])

    @property
    def over(self) -> bool:
        """True once the case has ended and owes nothing more, or there never was one."""
        return self.view is None or (self.view.status in ENDED and self.view.next_at is None)


class CaseStart(Carried):
    """A case's input: nothing for a new one, the progress after a rollover. `roll_over_after_events` is for rehearsals."""

    progress: CaseProgress | None = None
    roll_over_after_events: int = ROLL_OVER_AFTER_EVENTS
