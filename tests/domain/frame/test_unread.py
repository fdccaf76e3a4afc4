"""What was not read of a customer is never taken for what there is not."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from domain.frame.unread import NO_CONTRACT, NotReadError, Unread, contracts_of, known_of, part_of, under
from domain.frame.unreadable import Readable, Unreadable, UnreadableError

SEATS = SimpleNamespace(asset_id="S-1", contract_id="K-1")
LEFT_OUT = Unread("K-1", [SEATS])
LEDGER = part_of({"S-1": "record"})


@pytest.mark.parametrize(
    "ask",
    [
        list,
        len,
        bool,
        lambda found: found[0],
        lambda found: SEATS in found,
        lambda found: found == [],
        reversed,
        sorted,
    ],
)
def test_to_ask_for_a_list_that_was_left_out_says_so(ask: Callable[[Any], Any]) -> None:
    with pytest.raises(NotReadError):
        ask(LEFT_OUT)


@pytest.mark.parametrize(
    "ask",
    [
        dict,
        len,
        bool,
        list,
        lambda found: {**found},
        lambda found: {} | found,
        lambda found: found | {},
        lambda found: list(found.items()),
        lambda found: list(found.values()),
        lambda found: found.get("S-2"),
        lambda found: found["S-2"],
        lambda found: "S-2" in found,
    ],
)
def test_to_ask_for_a_ledger_that_was_left_out_says_so(ask: Callable[[Any], Any]) -> None:
    with pytest.raises(NotReadError):
        ask(LEDGER)


def test_what_is_of_the_contract_is_known() -> None:
    assert list(under(LEFT_OUT, "K-1")) == [SEATS]
    assert contracts_of(LEFT_OUT, ["S-1"]) == {"S-1": "K-1"}
    assert (LEDGER.get("S-1"), LEDGER["S-1"], "S-1" in LEDGER, known_of(LEDGER)) == ("record",) * 2 + (
        True,
        {"S-1": "record"},
    )


def test_what_is_of_another_contract_or_of_none_is_not() -> None:
    for contract in ("K-2", NO_CONTRACT):
        with pytest.raises(NotReadError):
            under(LEFT_OUT, contract)
    with pytest.raises(NotReadError):
        under(Unread(NO_CONTRACT, []), NO_CONTRACT)
    with pytest.raises(NotReadError):
        contracts_of(LEFT_OUT, ["S-1", "S-2"])


def test_what_cannot_be_read_of_the_contract_is_still_named() -> None:
    broken = Unreadable(kind="asset", id="S-9", why="no price", contract_id="K-1")
    with pytest.raises(UnreadableError):
        part_of(Readable({"S-1": "record"}, [broken])).get("S-9")


def test_whoever_has_read_everything_asks_as_before() -> None:
    assert under([SEATS], "K-7") == [SEATS]
    assert contracts_of([SEATS], ["S-2"]) == {"S-1": "K-1"}
    assert known_of({"S-1": "record"}) == {"S-1": "record"}
