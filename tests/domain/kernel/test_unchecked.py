"""What rules make without validation is what the constructor makes."""

from __future__ import annotations

from typing import Any

import pytest

from domain.kernel.base import Carried, Received, unchecked


class Parcel(Carried):
    parcel_id: str
    units: int = 1
    labels: dict[str, str]


class Label(Received):
    text: str
    size: int | None = None


def test_it_is_the_model_with_its_defaults() -> None:
    made = unchecked(Parcel)(labels={"to": "Osaka"}, parcel_id="P-1")
    assert made == Parcel(parcel_id="P-1", labels={"to": "Osaka"})
    assert made.model_dump_json() == '{"parcel_id":"P-1","units":1,"labels":{"to":"Osaka"}}'


def test_copies_of_it_leave_it_as_it_is() -> None:
    parcel, label = unchecked(Parcel)(parcel_id="P-1", labels={}), unchecked(Label)(text="fragile")
    assert parcel.having(units=7) == Parcel(parcel_id="P-1", units=7, labels={})
    assert label.having(size=3) == Label(text="fragile", size=3)
    assert (parcel.units, label.size) == (1, None)


@pytest.mark.parametrize("given", [{"parcel_id": "P-1"}, {"parcel_id": "P-1", "labels": {}, "colour": "red"}])
def test_a_field_too_few_or_too_many_is_named(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"'(labels|colour)'"):
        unchecked(Parcel)(**given)
