"""The lines of a customer's timeline, written by the statement that writes the fact that they tell of."""

from __future__ import annotations

COLUMNS = "key, account_id, at, kind, title, actor, link, visibility"
INTO = f"insert into timeline_item as t ({COLUMNS})"
AS_TOLD = (
    "on conflict (key) do update set (account_id, at, kind, title, actor, link, visibility) = (excluded.account_id,"
    " excluded.at, excluded.kind, excluded.title, excluded.actor, excluded.link, excluded.visibility)"
    " where t.* is distinct from excluded.*"
)
"""A line stands once: told again it says what is so now."""


def telling(fact: str, parameter: int | str) -> str:
    """The statement `fact` with what is told of its row: lines as JSON in `parameter`, a number or a `:name`; those without an
    instant are told no more.

    Nothing is told if no row was written. The result is the number of rows that were.
    """
    lines = parameter if isinstance(parameter, str) else f"${parameter}"
    return (
        f"with fact as ({fact} returning 1), line as materialized (select l.* from fact,"
        f" jsonb_populate_recordset(null::timeline_item, {lines}) l),"
        " gone as (delete from timeline_item t using line where t.key = line.key and line.at is null),"
        f" told as ({INTO} select {COLUMNS} from line where at is not null {AS_TOLD}) select count(*) from fact"
    )
