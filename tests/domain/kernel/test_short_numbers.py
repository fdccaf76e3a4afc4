"""Short numbers: which ids people type as they are, and what they type instead of the others."""

from __future__ import annotations

import pytest

from domain.kernel.short_numbers import Numbered, is_typed_easily, spoken, to_be_numbered


@pytest.mark.parametrize("thing_id", ["K-1", "Q-CC-CLOUD-3", "CC-CLOUD", "acme2027", "A"])
def test_what_is_short_and_plain_is_typed(thing_id: str) -> None:
    assert is_typed_easily(thing_id)


@pytest.mark.parametrize(
    "thing_id",
    [
        "K-CAPRICORN-1",
        "5f0c7a1e-9b1d-4c8e-8a54-0f4d1c2b3a49",
        "offer-SO-1.1-2027-03-01",
        "K.7",
        "K_7",
        "A--1",
        "-1",
        "2027",
        "",
    ],
)
def test_what_is_long_or_easily_mistaken_is_not(thing_id: str) -> None:
    assert not is_typed_easily(thing_id)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("K-1", (Numbered.CONTRACT, 1)),
        ("k 12", (Numbered.CONTRACT, 12)),
        ("Q7", (Numbered.QUOTE, 7)),
        ("o-3", (Numbered.OFFER, 3)),
        ("K-0", None),
        ("K-007", None),
        ("C-1", None),
        ("K-1-2", None),
        ("7", None),
    ],
)
def test_a_short_number_is_a_letter_and_a_count(name: str, right: tuple[Numbered, int] | None) -> None:
    assert spoken(name) == right


def test_what_a_mail_names_is_numbered_in_its_order_and_once() -> None:
    long, longer = "contract.of.2027", "contract.of.2027.emea"
    assert to_be_numbered({"contract_id": "K-1", "quote": {"quote_id": "Q-contract.of.2027-2"}}) == []
    assert to_be_numbered({"contract_id": long, "offer_id": "offer-1-2027-03-01"}) == [
        (Numbered.CONTRACT, long),
        (Numbered.OFFER, "offer-1-2027-03-01"),
    ]
    several = {
        "contracts": [{"contract_id": long}, {"contract_id": "K-1"}, {"contract_id": longer}, {"contract_id": long}]
    }
    assert to_be_numbered(several) == [(Numbered.CONTRACT, long), (Numbered.CONTRACT, longer)]
