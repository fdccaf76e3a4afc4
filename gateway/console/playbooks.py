"""Playbooks in the console: read, written, checked, rehearsed on every customer of the segment, and brought to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import yaml
from pydantic import ValidationError
from starlette.responses import Response

from activities.journey import playbook_pages as pages
from activities.journey.rehearsals import Trial, keep, on_record, rehearsed, try_on
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.playbooks import PlaybookError, playbook_in
from domain.frame.access import WriteAct, require_act
from domain.frame.playbook import Playbook
from domain.kernel.calendar import MONTHS_IN_YEAR, add_months
from domain.kernel.refusals import Refusal
from gateway.acting import Subject
from gateway.bringing import bring
from gateway.console.acts import new_request_id
from gateway.console.jobs import Job, Jobs
from gateway.console.settings.changes import reason_of
from gateway.console.visit import Visit
from gateway.trials import held

_LONGEST = 200_000
_CHUNK = 25
"""So many customers are tried at once: between two chunks others are served."""
_SHOWN = 50
_NO_SEGMENT = "UnknownSegment"


@dataclass(frozen=True)
class Fault:
    """What is wrong, with the line that it is in."""

    line: int
    text: str
    says: str


@dataclass(frozen=True)
class Typed:
    """A text as it was typed, with what it says or what is wrong with it."""

    text: str
    playbook: Playbook | None
    faults: tuple[Fault, ...] = ()


async def playbooks(visit: Visit) -> Response:
    """The segments with their playbooks."""
    async with visit.place.doors.pool.acquire() as connection:
        found = await pages.segments(connection)
    return visit.page("playbooks.html", found=found)


class PlaybookPages:
    """The page of one segment's playbook, and what is done there."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def show(self, visit: Visit) -> Response:
        """The draft, else the version on record."""
        segment = visit.id("segment", _NO_SEGMENT)
        async with visit.place.doors.pool.acquire() as connection:
            found = await pages.draft_of(connection, segment)
            text = found[0].text if found else await _written(connection, segment)
            typed = await _typed(connection, segment, text) if found else Typed(text, None)
            return await self._page(visit, connection, segment, typed, found[0].saved_at if found else None)

    async def take(self, visit: Visit) -> Response:
        """Keeps what was typed, whatever is wrong with it; then does what the button says."""
        require_act(visit.who, WriteAct.APPLY_PLAYBOOK)
        segment = visit.id("segment", _NO_SEGMENT)
        text, does = visit.form.get("text", "")[:_LONGEST], visit.form.get("do", "save")
        async with visit.place.doors.pool.acquire() as connection:
            typed = await _typed(connection, segment, text)
            saved = await pages.save_draft(
                connection, segment, text, present(), visit.who.by, _instant(visit.form.get("saved", ""))
            )
            wrong = "" if saved else visit.words("playbook.others")
            if saved and not typed.faults and typed.playbook is not None and does in _WORK:
                try:
                    await self._begin(visit, connection, typed.playbook, does)
                    return visit.to(f"/playbooks/{segment}")
                except Refusal as refusal:
                    wrong = refusal.says
            if wrong or typed.faults:
                at = saved or _instant(visit.form.get("saved", ""))
                status = HTTPStatus.CONFLICT if wrong else HTTPStatus.UNPROCESSABLE_ENTITY
                return await self._page(visit, connection, segment, typed, at, status, wrong)
        return visit.to(f"/playbooks/{segment}", done=does)

    async def file(self, visit: Visit) -> Response:
        """The text as a file, for the folder that new customers are planned by."""
        segment = visit.id("segment", _NO_SEGMENT)
        async with visit.place.doors.pool.acquire() as connection:
            found = await pages.draft_of(connection, segment)
            text = found[0].text if found else await _written(connection, segment)
        headers = {"Content-Disposition": f'attachment; filename="{segment}.yaml"'}
        return visit.finished(Response(text, media_type="application/yaml", headers=headers))

    async def _page(
        self,
        visit: Visit,
        connection: Connection,
        segment: str,
        typed: Typed,
        saved_at: datetime | None,
        status: HTTPStatus = HTTPStatus.OK,
        wrong: str = "",
    ) -> Response:
        trial, changes = None, []
        if typed.playbook is not None and await rehearsed(connection, typed.playbook) is not None:
            trial = (await pages.trial_sums(connection, segment, typed.playbook.version))[0]
            changes = await pages.trials(connection, segment, typed.playbook.version, _SHOWN)
        return visit.page(
            "playbook.html",
            status,
            segment=segment,
            typed=typed,
            saved_at=saved_at,
            wrong=wrong,
            versions=await pages.versions(connection, segment),
            trial=trial,
            changes=changes,
            job=self._jobs.of(segment),
            done=visit.asked("done"),
            may=visit.who.may_do(WriteAct.APPLY_PLAYBOOK),
        )

    async def _begin(self, visit: Visit, connection: Connection, playbook: Playbook, does: str) -> None:
        """Raises `Refusal` for what was not rehearsed as it is, or while other work goes on."""
        rehearsal = await rehearsed(connection, playbook)
        if does == "apply" and rehearsal is None:
            raise Refusal("NotRehearsed", visit.words("playbook.not_rehearsed"))
        if does == "apply":
            reason_of(visit)
        self._jobs.begin(Job(does, playbook.segment, visit.who.by), _WORK[does](visit, playbook))


def _rehearses(visit: Visit, playbook: Playbook) -> Callable[[Job], Awaitable[None]]:
    async def work(job: Job) -> None:
        pool, now = visit.place.doors.pool, present()
        until = add_months(now.date(), MONTHS_IN_YEAR)
        accounts = await held(pool, playbook.segment)
        job.total = len(accounts)
        found: list[Trial] = []
        for at in range(0, len(accounts), _CHUNK):
            async with pool.acquire() as connection, connection.transaction(readonly=True):
                found += await try_on(connection, playbook, accounts[at : at + _CHUNK], now, until)
            job.done = min(at + _CHUNK, len(accounts))
        async with pool.acquire() as connection:
            await keep(connection, playbook, now, until, found)

    return work


def _applies(visit: Visit, playbook: Playbook) -> Callable[[Job], Awaitable[None]]:
    async def work(job: Job) -> None:
        doors = visit.place.doors
        async with doors.pool.acquire() as connection:
            rehearsal = await rehearsed(connection, playbook)
        if rehearsal is None:
            raise Refusal("NotRehearsed", visit.words("playbook.not_rehearsed"))
        job.total = len([one for one in await held(doors.pool, playbook.segment) if one.version != playbook.version])
        about = Subject("playbook", playbook.named)
        acting, why = visit.place.acting, reason_of(visit)
        async with acting.noted(visit.who, about, WriteAct.APPLY_PLAYBOOK, new_request_id(), why):
            async for batch in bring(doors.client, doors.pool, playbook, rehearsal, visit.who.by, _CHUNK):
                job.done += len(batch.brought) + len(batch.waiting) + len(batch.refused)
                job.notes |= batch.refused
                job.notes |= dict.fromkeys(batch.waiting, visit.words("playbook.waits"))

    return work


_WORK: Mapping[str, Callable[[Visit, Playbook], Callable[[Job], Awaitable[None]]]] = {
    "rehearse": _rehearses,
    "apply": _applies,
}


async def _written(connection: Connection, segment: str) -> str:
    """The latest version on record as YAML, of what is not as it is by itself."""
    found = await pages.versions(connection, segment)
    body: dict[str, Any] = {"segment": segment, "version": 1}
    if found:
        body = found[0]["body"]
        with suppress(ValidationError):  # what cannot be read as it is on record is shown whole
            body = Playbook.stored(body).model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=120)


async def _typed(connection: Connection, segment: str, text: str) -> Typed:
    """What the text says, checked as `perennial playbook check` does, and against what is on record."""
    lines = text.splitlines()
    if (alias := _alias(text)) is not None:
        return Typed(text, None, (Fault(alias, lines[alias - 1], "names another part by *; write it out"),))
    try:
        playbook = playbook_in(text, segment)
    except PlaybookError as error:
        return Typed(text, None, tuple(_fault(text, one) for one in str(error).splitlines()))
    if playbook.segment != segment:
        return Typed(text, None, (_at(lines, "segment", f"must be {segment!r}, as the page's name is"),))
    known = await on_record(connection, playbook)
    if known is not None and known != playbook:
        says = f"version {playbook.version} is on record with other content; a change raises the version"
        return Typed(text, None, (_at(lines, "version", says),))
    return Typed(text, playbook)


def _alias(text: str) -> int | None:
    """The first line that names another part: some of them are a text without an end."""
    with suppress(yaml.YAMLError):  # which is told with its line by whoever reads it
        for token in yaml.scan(text):
            if isinstance(token, yaml.AliasToken):
                return int(token.start_mark.line) + 1
    return None


def _fault(text: str, said: str) -> Fault:
    """From `name:line: what is wrong`."""
    _, line, says = said.split(":", 2)
    lines = text.splitlines()
    return Fault(int(line), lines[int(line) - 1] if 0 < int(line) <= len(lines) else "", says.strip())


def _at(lines: list[str], key: str, says: str) -> Fault:
    number = next((n for n, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 1)
    return Fault(number, lines[number - 1] if lines else "", says)


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
