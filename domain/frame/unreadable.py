"""A fact that cannot be read: by which name people find it, and what needs it waits for a person while all else goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from pydantic import ValidationError

from domain.kernel.base import Carried
from domain.kernel.refusals import in_words

UNREADABLE = "Unreadable"
MEND = "mend it, then `resume`; `perennial doctor` says more"


class Unreadable(Carried):
    """What cannot be read, such as contract K-1, and why; `contract_id`: the contract that it belongs to, if it is an asset."""

    kind: str
    id: str
    why: str
    contract_id: str | None = None

    @property
    def name(self) -> str:
        """`contract K-1`."""
        return f"{self.kind} {self.id}"

    def __str__(self) -> str:
        return f"{self.name} cannot be read ({self.why}): {MEND}"


class UnreadableError(Exception):
    """Something was to be decided from a fact that cannot be read."""

    def __init__(self, fact: Unreadable) -> None:
        super().__init__(str(fact))
        self.fact = fact


class Missing:
    """Stands where a fact should be that cannot be read: whoever looks at it raises `UnreadableError`, whoever does not goes on."""

    def __init__(self, fact: Unreadable) -> None:
        object.__setattr__(self, "_fact", fact)

    @property
    def fact(self) -> Unreadable:
        """What cannot be read."""
        known: Unreadable = object.__getattribute__(self, "_fact")
        return known

    def _asked(self, *_: Any) -> NoReturn:
        raise UnreadableError(self.fact)

    def __getattr__(self, name: str) -> NoReturn:
        self._asked()

    __iter__ = __len__ = __bool__ = __getitem__ = __contains__ = __eq__ = _asked
    __hash__ = None  # type: ignore[assignment]


def why_not(error: ValidationError) -> str:
    """The first thing that is wrong, in one line."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    says = in_words(first["msg"])
    return f"{place}: {says}"[:160] if place else says[:160]


def check_all(facts: Iterable[Unreadable], *, kind: str, id: str) -> None:
    """Raise `UnreadableError` if one of the facts has this name."""
    for fact in facts:
        if (fact.kind, fact.id) == (kind, id):
            raise UnreadableError(fact)


def check_contract(facts: Iterable[Unreadable], contract_id: str | None) -> None:
    """Raise `UnreadableError` if one of the facts is an asset of the contract, or may be one, or the contract itself."""
    for fact in facts:
        whose = fact.id if fact.kind == "contract" else fact.contract_id
        if fact.kind in ("asset", "contract") and whose == contract_id:
            raise UnreadableError(fact)


class Readable(dict[str, Any]):
    """Facts by id, without those that cannot be read: to ask for one of those raises `UnreadableError`."""

    def __init__(self, facts: Mapping[str, Any], unreadable: Iterable[Unreadable]) -> None:
        super().__init__(facts)
        self.unreadable = {fact.id: fact for fact in unreadable}

    def _check(self, key: object) -> None:
        if key in self.unreadable:
            raise UnreadableError(self.unreadable[str(key)])

    def __getitem__(self, key: str) -> Any:
        self._check(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._check(key)
        return super().get(key, default)


def unreadable_of(facts: Mapping[str, Any]) -> Iterator[Unreadable]:
    """What is missing of `facts` because it cannot be read."""
    yield from facts.unreadable.values() if isinstance(facts, Readable) else ()
