"""Proposals: what a tool asked that waits for a person, who confirms or refuses it. Confirmed, it is asked once, in that person's name.

The command line and the console decide about them by this one module.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from activities.frame import access_rows, tool_act_rows
from activities.frame.tool_act_rows import ToolAct
from activities.kernel.clock import present
from domain.frame.access import Principal, require
from domain.journey.registry import BEGINNINGS, JOURNEY, OPERATIONS
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from gateway.acting import DONE, OPEN, Acting, Ending, Subject, of_account, of_case
from gateway.doors import Doors

WAITS_FOR = timedelta(days=7)
"""After it nobody can confirm a proposal any more."""
_CONFIRMED = "confirmed"


def subject_of(operation: str, subject_id: str) -> Subject:
    """Whom an act is about, for the log."""
    return of_account(subject_id) if operation in JOURNEY else of_case(subject_id)


class Proposals:
    """The decisions of people who come by one door. What they may not decide raises `Refusal` (NotAllowed)."""

    def __init__(self, doors: Doors, door: str) -> None:
        self._doors = doors
        self._door = door

    async def waiting(
        self, *, all_of_them: bool = False, limit: int = 200, before: tuple[datetime, str] | None = None
    ) -> list[ToolAct]:
        """The proposals that wait for somebody, or all, the latest first; those behind an instant and an id."""
        async with self._doors.pool.acquire() as connection:
            return await tool_act_rows.proposals(
                connection, None if all_of_them else present(), *(before or (None, None)), limit
            )

    async def one(self, act_id: str) -> ToolAct | None:
        """The proposal of that id, whatever became of it; null for what is none."""
        async with self._doors.pool.acquire() as connection:
            found = await tool_act_rows.by_id(connection, act_id)
        return found[0] if found and found[0].expires_at is not None else None

    async def confirm(self, who: Principal, act_id: str) -> dict[str, Any]:
        """Asks what was proposed, in the name of `who`: its answer. Confirmed again, it is not asked again.

        Raises `Refusal`: NotAllowed, UnknownProposal, ProposalOver, and what a rule has against it; NoAnswerError: it may be confirmed again.
        """
        proposal = await self._decidable(who, act_id)
        async with self._doors.pool.acquire() as connection:
            decided = await tool_act_rows.decide(connection, act_id, _CONFIRMED, who.name, present())
            proposal = decided or (await tool_act_rows.by_id(connection, act_id))[0]
        if proposal.decision != _CONFIRMED:
            raise Refusal(
                "ProposalOver", f"proposal {act_id!r} is {proposal.state(present())}; it is not done any more"
            )
        if proposal.outcome == DONE:
            return proposal.answer or {}
        if proposal.decided_by != who.name:
            said = f"proposal {act_id!r} was confirmed by {proposal.decided_by}, and is {proposal.outcome or OPEN}"
            raise Refusal("ProposalOver", said)
        return await self._asked(who, proposal)

    async def refuse(self, who: Principal, act_id: str, reason: str) -> None:
        """It is not done. Raises `Refusal`: NotAllowed, UnknownProposal, ProposalOver."""
        proposal = await self._decidable(who, act_id)
        acting = Acting(self._doors, self._door, _told(proposal, reason))
        subject = subject_of(proposal.operation, proposal.subject_id)
        async with acting.noted(who, subject, f"refuse {proposal.operation}", act_id):
            async with self._doors.pool.acquire() as connection:
                done = await tool_act_rows.decide(connection, act_id, "refused", who.name, present(), reason)
            if done is None:
                raise Refusal("ProposalOver", f"proposal {act_id!r} waits for nobody any more")

    async def _decidable(self, who: Principal, act_id: str) -> ToolAct:
        """The proposal, if `who` is a person whose role may ask it."""
        found = await self.one(act_id)
        if found is None:
            raise Refusal(
                "UnknownProposal", f"there is no proposal {act_id!r}; `perennial access proposals` lists them"
            )
        if who.staff_id is None:
            raise Refusal(NOT_ALLOWED, f"{who.name} is nobody of ours; a person decides about proposals")
        require(who, OPERATIONS[found.operation])
        return found

    async def _asked(self, who: Principal, proposal: ToolAct) -> dict[str, Any]:
        """What was proposed is asked under the proposal's id: once, however often it is tried."""
        acting = Acting(self._doors, self._door, _told(proposal, proposal.reason))
        return await carried_out(acting, self._doors, who, proposal)


def _told(proposal: ToolAct, reason: str) -> str:
    """For the log: whose idea it was, and why."""
    return f"proposed by {proposal.actor} as {proposal.act_id}: {reason}"


async def carried_out(acting: Acting, doors: Doors, who: Principal, act: ToolAct) -> dict[str, Any]:
    """Asks what an act says and writes down what came of it: its answer."""
    request = dict(act.request)
    fields = OPERATIONS[act.operation].model.model_fields
    if act.operation not in BEGINNINGS:
        if "request_id" in fields:
            request["request_id"] = act.act_id
        if "reason" in fields:
            request.setdefault("reason", act.reason)
    answer, ending = None, Ending()
    try:
        with ending:
            answer = await acting.carry_out(who, act.operation, act.subject_id, request)
            return answer
    finally:
        async with doors.pool.acquire() as connection:
            await tool_act_rows.settle(connection, act.act_id, ending.outcome, answer)


async def person(doors: Doors, staff_id: str) -> Principal:
    """One of our people with what they may. Raises `Refusal` (NotAllowed) for anybody else."""
    async with doors.pool.acquire() as connection:
        rows = await access_rows.people(connection, staff_id, None)
    if not rows or rows[0]["left_at"] is not None:
        raise Refusal(NOT_ALLOWED, f"{staff_id!r} is none of our people; `perennial staff list` shows them")
    return access_rows.principal_of(rows[0])
