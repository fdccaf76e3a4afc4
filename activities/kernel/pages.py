"""Lists that grow, read a page at a time: behind a place that what is written in between does not move."""

from __future__ import annotations

from datetime import datetime

from activities.kernel.pool import Connection
from activities.kernel.queries import Query, Row


class Paged(Query):
    """Rows from the latest on, or from the earliest. The statement gives its order in columns `at` and `id`, which stay as they are
    for a row that is there; its own parameters begin with $4."""

    def __init__(self, text: str, *, earliest_first: bool = False) -> None:
        behind, order = (">", "asc") if earliest_first else ("<", "desc")
        super().__init__(
            f"select * from ({text}) page where ($1::timestamptz is null or (at, id) {behind} ($1, $2::text))"
            f" order by at {order}, id {order} limit $3"
        )

    async def behind(
        self, connection: Connection, place: tuple[datetime, str] | None, rows: int, *about: object
    ) -> list[Row]:
        """At most so many rows, those behind a place or the first."""
        at, id = place or (None, None)
        return await self(connection, at, id, rows, *about)
