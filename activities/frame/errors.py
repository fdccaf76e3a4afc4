"""What kind of failure it was, told to the workflow in its own words."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.assets.ledger import AssetChangedMeanwhileError
from activities.billing.credits import OverCreditedError
from activities.kernel.pool import TRANSPORT_ERRORS
from activities.service.case_rows import CaseMovedMeanwhileError
from domain.assets.errors import AssetLockedError, LedgerCorruptError
from domain.frame.unreadable import MEND, UNREADABLE, UnreadableError
from domain.kernel.refusals import Refusal, refusal_of

PATIENT_ATTEMPTS = 5
"""A lost race settles itself long before; after this many attempts it is a mistake that somebody has to see."""

LOST_RACES = (asyncpg.UniqueViolationError, OverCreditedError)
"""What the tables refuse because another transaction was faster: the same key, or a credit of what is not charged any more."""
PASSING: tuple[type[BaseException], ...] = (*TRANSPORT_ERRORS, AssetChangedMeanwhileError, CaseMovedMeanwhileError)
"""What another attempt can get right."""
TOO_LONG = "TookTooLong"
LEFT_TO_SAY_SO = timedelta(seconds=1)
"""So long before its time is over an attempt is ended by ourselves, so that it can be told from a worker that died."""
_late: Counter[tuple[str, str]] = Counter()
"""How often an activity, by its run and id, was not done in its time by this process."""


@asynccontextmanager
async def business_errors() -> AsyncIterator[None]:
    """Tells the workflow what kind of failure it was: transport errors are retried for ever, refusals and mistakes are not.

    What is not done in its time is tried again some times, and then left to a person.
    """
    deadline = asyncio.timeout(_time_left())
    try:
        async with deadline:
            yield
        _late.pop(_this_activity(), None)
    except ApplicationError:
        raise
    except TimeoutError as late:
        if not deadline.expired():
            raise
        raise _too_long() from late
    except Refusal as refusal:
        problems = [problem.model_dump() for problem in refusal.problems]
        raise ApplicationError(
            str(refusal), problems, type=refusal.type, non_retryable=True, category=ApplicationErrorCategory.BENIGN
        ) from None
    except LOST_RACES as lost:
        if activity.info().attempt < PATIENT_ATTEMPTS:
            raise
        raise ApplicationError(f"again and again: {lost}", type="StepFailed", non_retryable=True) from lost
    except PASSING:
        raise
    except UnreadableError as unread:
        raise ApplicationError(str(unread), unread.fact.name, type=UNREADABLE, non_retryable=True) from unread
    except LedgerCorruptError as corrupt:
        said = f"the asset ledger does not add up ({corrupt}): {MEND}"
        raise ApplicationError(said, "asset ledger", type=UNREADABLE, non_retryable=True) from corrupt
    except AssetLockedError as locked:
        told = refusal_of(locked)
        raise ApplicationError(str(told), type=told.type, non_retryable=True) from locked
    except Exception as mistake:
        raise ApplicationError(
            f"{type(mistake).__name__}: {mistake}", type="StepFailed", non_retryable=True
        ) from mistake


def _this_activity() -> tuple[str, str]:
    info = activity.info()
    return info.workflow_run_id or "", info.activity_id


def _time_left() -> float | None:
    """Seconds that an attempt may take; null where nobody set a limit, and for deliveries, which are tried for as long as it takes."""
    info = activity.info()
    limit = info.start_to_close_timeout
    if limit is None or info.heartbeat_timeout:
        return None
    return max(limit / 2, limit - LEFT_TO_SAY_SO).total_seconds()


def _too_long() -> ApplicationError:
    """What is said of an attempt that was not done in its time; after some of them nobody tries again by themselves."""
    _late[_this_activity()] += 1
    times, seconds = _late[_this_activity()], round(_time_left() or 0)
    if times < PATIENT_ATTEMPTS:
        return ApplicationError(f"not done in {seconds} seconds, tried again", type=TOO_LONG)
    del _late[_this_activity()]
    said = f"not done in {seconds} seconds, {times} times: it is about too much at once, or the database is slow"
    return ApplicationError(f"{said}; nothing was changed", type=TOO_LONG, non_retryable=True)
