"""What has been applied to the database, as the tool that migrates it keeps it."""

from __future__ import annotations

from pathlib import Path

import activities
from activities.kernel.pool import Connection

MIGRATIONS = Path(activities.__file__).parent / "migrations"


async def migrations_to_apply(connection: Connection) -> list[str]:
    """Numbers of this release's migrations that the database has not seen; those of a newer release may be there as well.

    Raises asyncpg.UndefinedTableError for a database without any.
    """
    applied = {row["version"] for row in await connection.fetch("select version from schema_migrations")}
    return sorted({path.name.partition("_")[0] for path in MIGRATIONS.glob("*.sql")} - applied)
