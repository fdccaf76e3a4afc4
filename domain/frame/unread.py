"""What was left out when a customer was read, because hardly anybody asks for it: most of it is about one contract, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from domain.frame.unreadable import Readable, Unreadable

_Fact = TypeVar("_Fact")
NO_CONTRACT = ""


class NotReadError(BaseException):
    """Somebody asked for what was not read: no mistake, but a reason to begin anew with all of the customer."""


class Unread(list[Any]):
    """Contracts or assets of a customer of whom those of `contract_id` alone were read, or none. To ask for the whole list raises
    `NotReadError`, so that nobody takes what was read for all that there is."""

    def __init__(self, contract_id: str, known: Iterable[Any]) -> None:
        super().__init__()
        self.contract_id = contract_id
        self.known = list(known)

    def _asked(self, *_: Any) -> NoReturn:
        raise NotReadError("most contracts and assets were left out when the customer was read")

    __iter__ = __reversed__ = __len__ = __bool__ = __contains__ = __getitem__ = __eq__ = _asked
    __hash__ = None


class PartOfLedger(Readable):
    """The records of one contract's assets, by asset. To ask for another one, or for all that there are, raises `NotReadError`."""

    def _asked(self, *_: Any) -> NoReturn:
        raise NotReadError("most of the asset ledger was left out when the customer was read")

    __iter__ = __reversed__ = __len__ = __bool__ = keys = values = items = copy = __or__ = __eq__ = _asked
    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self._asked()

    def __getitem__(self, key: str) -> Any:
        self._check(key)
        return dict.__getitem__(self, key) if key in self else None

    def get(self, key: str, default: Any = None) -> Any:
        return self[key]

    def known(self) -> dict[str, Any]:
        """What was read."""
        return dict(dict.items(self))


def part_of(facts: Mapping[str, Any]) -> PartOfLedger:
    """The records that were read, of one contract alone."""
    unreadable: Iterable[Unreadable] = facts.unreadable.values() if isinstance(facts, Readable) else ()
    return PartOfLedger(facts, unreadable)


def known_of(facts: Mapping[str, _Fact]) -> dict[str, _Fact]:
    """Of facts by id those that were read, and can be."""
    return facts.known() if isinstance(facts, PartOfLedger) else dict(facts.items())


def under(facts: Sequence[_Fact], contract_id: str) -> Iterable[_Fact]:
    """Facts among which are all those of a contract. Raises `NotReadError` if those were not read."""
    if not isinstance(facts, Unread):
        return facts
    if not contract_id or facts.contract_id != contract_id:
        facts._asked()
    return facts.known


def contracts_of(assets: Sequence[Any], wanted: Iterable[str]) -> dict[str, str | None]:
    """The contracts of assets by their ids. Raises `NotReadError` if one of the `wanted` was not read."""
    if not isinstance(assets, Unread):
        return {asset.asset_id: asset.contract_id for asset in assets}
    found = {asset.asset_id: asset.contract_id for asset in assets.known}
    if not found.keys() >= set(wanted):
        assets._asked()
    return found
