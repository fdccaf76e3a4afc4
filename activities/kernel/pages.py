"""Lists that grow, read a page at a time: from the latest on, behind a place that writes in between do not move."""

from __future__ import annotations

from datetime import datetime

from activities.kernel.pool import Connection
from activities.kernel.queries import Query, Row


class Paged(Query):
    """Rows from the latest on. The statement names its order, which never changes for a row that is there, in columns `at` and `id`;
    its own parameters begin with $4."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"select * from ({text}) page where ($1::timestamptz is null or (at, id) < ($1, $2::text))"
            " order by at desc, id desc limit $3"
        )

    async def behind(
        self, connection: Connection, place: tuple[datetime, str] | None, rows: int, *about: object
    ) -> list[Row]:
        """At most so many rows, those behind a place or the latest."""
        at, id = place or (None, None)
        return await self(connection, at, id, rows, *about)
