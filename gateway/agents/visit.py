"""Who uses a tool, by which servers, and what their session was given so far."""

from __future__ import annotations

from dataclasses import dataclass

from domain.frame.access import Principal
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from gateway.acting import Acting
from gateway.agents.given import Given
from gateway.doors import Doors

DOOR = "mcp"


@dataclass(frozen=True)
class Visit:
    """One call of a tool."""

    doors: Doors
    who: Principal
    given: Given

    @property
    def acting(self) -> Acting:
        """The acts of this door."""
        return Acting(self.doors, DOOR)

    def check_scope(self, resource: str, act: str) -> None:
        """Raises `Refusal` (NotAllowed) if the key's scopes do not reach an act on a resource."""
        if not self.who.is_within(resource, act):
            said = f"the key {self.who.by!r} reaches {', '.join(self.who.scopes)}; this needs {resource}:{act}"
            raise Refusal(NOT_ALLOWED, said)

    async def check_account(self, account_id: str) -> None:
        """Raises `Refusal` (NotAllowed) for an account that this session was not given, or that is not for this key."""
        self.given.check_id("account_id", account_id)
        await self.acting.sees(self.who, account_id)
