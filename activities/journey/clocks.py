"""The clocks of customers in the facts: their zones, and whose time is another than everybody's."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from activities.kernel.queries import Models, Value


class CustomerClock(BaseModel):
    """A customer's clock: the zone it shows, and whether it was ever moved, as rehearsals do."""

    model_config = ConfigDict(frozen=True)

    zone: str
    moved: bool


clocks_of = Models(
    CustomerClock,
    "select time_zone as zone, clock_moved as moved from account where account_id = $1 order by account_id",
)
"""The clock of an account; none if no order of theirs was ever accepted."""

note_move = Value[str | None](
    "update account set clock_moved = true where account_id = $1 and not clock_moved returning account_id"
)
"""Notes that an account's clock is moved. Gives the account, or null if that was known."""
