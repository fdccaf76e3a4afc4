"""What tools of agents asked, and what people decided about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from activities.kernel import news
from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from activities.kernel.queries import Models


class ToolAct(BaseModel):
    """An act of a tool: done at once, or a proposal, which has a day on which it `expires_at`."""

    model_config = ConfigDict(frozen=True)

    act_id: str
    actor: str
    operation: str
    subject_id: str
    request: dict[str, Any]
    reason: str
    takes_back: str | None = None
    at: datetime
    expires_at: datetime | None = None
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    decided_reason: str | None = None
    outcome: str | None = None
    answer: dict[str, Any] | None = None

    def state(self, as_of: datetime) -> str:
        """`waiting` or `expired` for a proposal that nobody decided, else what was decided, else what came of it."""
        if self.expires_at is None or self.decision == "confirmed":
            return self.outcome or "open"
        return self.decision or ("waiting" if as_of < self.expires_at else "expired")


_ACT = Insert("tool_act", "act_id actor operation subject_id request reason takes_back at expires_at").of(ToolAct)

by_id = Models(ToolAct, "select * from tool_act where act_id = $1")
"""The act of that id, if there is one."""

proposals = Models(
    ToolAct,
    "select * from tool_act where expires_at is not null and ($1::timestamptz is null or decision is null and expires_at > $1)"
    " and ($2::timestamptz is null or (at, act_id) < ($2, $3::text)) order by at desc, act_id desc limit $4",
)
"""Proposals behind an instant $2 and an id $3, the latest first, at most so many: those that wait at an instant $1, or all."""


async def add(connection: Connection, act: ToolAct) -> None:
    """Writes down what a tool asks, before it is asked or proposed."""
    await _ACT.put(connection, [act])
    await news.tell(connection, [news.of_account(act.subject_id), news.of_case(act.subject_id)])


async def decide(
    connection: Connection, act_id: str, decision: str, by: str, at: datetime, reason: str = ""
) -> ToolAct | None:
    """Somebody's decision about a proposal that waits; null if it waits no more. Of two at once the first counts."""
    row = await connection.fetchrow(
        "update tool_act set decision = $2, decided_by = $3, decided_at = $4, decided_reason = $5"
        " where act_id = $1 and decision is null and expires_at > $4 returning *",
        act_id,
        decision,
        by,
        at,
        reason,
    )
    return None if row is None else ToolAct.model_validate(dict(row))


async def settle(connection: Connection, act_id: str, outcome: str, answer: dict[str, Any] | None) -> None:
    """What came of an act; what is done stays done."""
    await connection.execute(
        "update tool_act set outcome = $2, answer = $3 where act_id = $1 and outcome is distinct from 'done'",
        act_id,
        outcome,
        answer,
    )
