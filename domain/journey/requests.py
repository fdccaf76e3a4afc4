"""What operators can ask of a whole journey, its agenda and its single steps: one model for each update."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, StringConstraints

from domain.kernel.calendar import within_reach
from domain.kernel.ids import ContactRef
from domain.kernel.requests import Reason, Remark, Request


class PauseJourney(Request):
    """Nothing is done by itself until `until`, or until it is resumed. Requests are still answered, and what settles one, such as
    the end of a transfer, is done."""

    reason: Reason
    until: Annotated[AwareDatetime, AfterValidator(within_reach)] | None = None


class ResumeJourney(Request):
    """The agenda goes on after a pause: what came due meanwhile and what was set aside is looked at again.

    What is still of use goes out at the promised hours: what contracts and access need on the next business morning, all else
    one a morning after it. The rest is dropped with its reason in journal and timeline. Words are those of the day; stuck
    deliveries are tried again.
    """


_STEP_KEY = re.compile(r"[^\s/]{1,150}/\S{1,100}")


def _step_key(value: str) -> str:
    if not _STEP_KEY.fullmatch(value):
        raise ValueError(
            f"{value[:80]!r} is no step's key such as 'adoption/check-in-2027-03-12'; briefing and `perennial journey show`"
            " say those there are, in brackets"
        )
    return value


StepKey = Annotated[str, AfterValidator(_step_key)]


DeliveryRef = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^\S+$")]


class RetryDeliveries(Request):
    """Whatever is on its way out and waits for its next try is tried now, what is stuck, too: once a provider works again.

    `delivery`: that one alone, by its id as `perennial deliveries list --json` says it; one that neither waits nor is stuck is refused.
    `perennial deliveries retry` asks it of every customer that waits.
    """

    delivery: DeliveryRef | None = None


class SkipStep(Request):
    """A planned or parked step is left out, for good; `step` is its key, as the briefing and `perennial journey show` say it.

    What comes in a rhythm, or one after the other like renewal notices, goes on with the next one. A task that only that mail
    completes ends with it (`closed_task`), one that somebody has to do stays open.
    """

    step: StepKey
    reason: Reason


class RescheduleStep(Request):
    """A planned or parked step is moved to the morning of `day`, or of the next business day after it.

    Beyond the last day on which it is of use, such as that of the term for a renewal notice, it is refused with that day. Terms,
    invoices and what takes effect follow from what was sold and are neither left out nor moved.
    """

    step: StepKey
    day: Annotated[date, AfterValidator(within_reach)]
    reason: Remark = ""


class CloseJourney(Request):
    """The customer's journey ends for good: nothing more will be done."""

    reason: Reason


class ErasePerson(Request):
    """A person goes for good: name, addresses, what they wrote, and what others wrote of them by name; ids, dates and figures stay.

    Every run that was before is over then, and its history is deleted.
    """

    contact_id: ContactRef
    reason: Remark = ""


class Reconcile(Request):
    """The agenda becomes what follows from the facts: what is missing is added, what nothing calls for is taken off, and
    messages that nobody carries go on their way. A customer without a running journey gets one. The answer says what was
    otherwise."""
