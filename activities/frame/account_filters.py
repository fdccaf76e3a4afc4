"""What is so of the customers that are wanted, as conditions on an account `a`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Parameters(list[Any]):
    """What a statement is given, each under its number."""

    def put(self, value: object) -> str:
        """The place that a value has in the statement."""
        self.append(value)
        return f"${len(self)}"


def in_sight(viewer: str) -> str:
    """The condition that an account `a` is among the customers of `viewer`, who does not see all, or of their team. Who those are is
    found once a statement."""
    seen = f"select people_in_sight({viewer}::text)"
    return f"(a.owner_id in ({seen}) or a.success_manager_id in ({seen}))"


@dataclass(frozen=True)
class AccountFilter:
    """What is so of the customers that are wanted; null for whatever. `of_staff`: they own them or look after them. `hold`: `block`,
    `warn`, or `any`. `band`: of the latest health score. `among`: they are one of these. `seen_by`: they are among the customers of one
    of our people, or of their team if that is how far they see."""

    segment: str | None = None
    owner: str | None = None
    band: str | None = None
    hold: str | None = None
    of_staff: str | None = None
    seen_by: str | None = None
    closed: bool = False
    among: tuple[str, ...] | None = None

    def conditions(self, given: Parameters) -> str:
        """The conditions that are asked for, their values among what is given; empty for none."""
        asked = [] if self.closed else ["a.closed_at is null"]
        for condition, value in (
            ("a.segment = {}", self.segment),
            ("a.owner_id = {}", self.owner),
            ("(a.owner_id = {0} or a.success_manager_id = {0})", self.of_staff),
            (in_sight("{0}"), self.seen_by),
            (_BAND, self.band),
            (_HELD if self.hold == "any" else _LEVEL, self.hold),
        ):
            if value is not None:
                asked.append(condition.format(given.put(value) + "::text") if "{" in condition else condition)
        if self.among is not None:
            asked.append(f"a.account_id = any({given.put(list(self.among))}::text[])")
        return " and ".join(asked)


_BAND = "(select band from health_score h where h.account_id = a.account_id order by at desc limit 1) = {}"
_HELD = "exists (select from sales_hold l where l.account_id = a.account_id and l.lifted_at is null)"
_LEVEL = "(select min(level) from sales_hold l where l.account_id = a.account_id and l.lifted_at is null) = {}"
