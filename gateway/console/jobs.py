"""Long work that somebody began on a page: it goes on in this process, and the page shows how far it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from domain.kernel.refusals import MendableError, Refusal
from gateway.calling import NoAnswerError

_log = logging.getLogger(__name__)


@dataclass
class Job:
    """One piece of work. wrong: why it ended, in a sentence; `mistake` for one of ours, which stands in the log."""

    kind: str
    subject: str
    by: str
    total: int = 0
    done: int = 0
    wrong: str = ""
    over: bool = False
    notes: dict[str, str] = field(default_factory=dict)


class Jobs:
    """The work under way, one piece of each subject at a time; of what is over the last is remembered."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, subject: str) -> Job | None:
        """What goes on of a subject, or went on last."""
        return self._jobs.get(subject)

    def begin(self, job: Job, work: Callable[[Job], Awaitable[None]]) -> None:
        """Raises `Refusal` (JobUnderWay) while other work of the subject goes on."""
        before = self._jobs.get(job.subject)
        if before is not None and not before.over:
            raise Refusal("JobUnderWay", f"{before.by} has begun this already; wait until it is over")
        self._jobs[job.subject] = job
        task = asyncio.create_task(self._run(job, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: Job, work: Callable[[Job], Awaitable[None]]) -> None:
        try:
            await work(job)
        except (Refusal, MendableError, NoAnswerError) as error:
            job.wrong = str(error)
        except Exception:
            _log.exception("work of the console ended in a mistake of ours")
            job.wrong = "mistake"
        finally:
            job.over = True

    def end(self) -> None:
        """The process ends: what goes on is left where it is."""
        for task in self._tasks:
            task.cancel()
