"""News for whoever looks on: that something happened of an account or a case, told by PostgreSQL to all who listen there.

It is told after the commit, in a transaction of its own: within that of the work, a notice has all other commits of the database wait for it.
News may be lost, if a process ends just then; nothing but what a page shows at that moment depends on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from activities.kernel.pool import TRANSPORT_ERRORS, Connection

CHANNEL = "perennial_news"


def of_account(account_id: str) -> str:
    """What is said when something happened of an account."""
    return f"account/{account_id}"


def of_case(case_id: str) -> str:
    """What is said when something happened of a case."""
    return f"case/{case_id}"


def telling(about: Iterable[str]) -> str:
    """The statement that tells that something happened of each, as a text to which nothing is given: so it goes along with the commit,
    and is done once that is. Empty if there is nothing to tell."""
    said = ",".join(one.encode().hex() for one in sorted(set(about)))
    named = f"string_to_table('{said}', ',') about"
    return f"select pg_notify('{CHANNEL}', convert_from(decode(about, 'hex'), 'UTF8')) from {named}" if said else ""


async def tell(connection: Connection, about: Iterable[str]) -> None:
    """Tells that something happened of each; what is done is done, whether or not it can be told."""
    if said := telling(about):
        with suppress(*TRANSPORT_ERRORS):
            await connection.execute(said)
