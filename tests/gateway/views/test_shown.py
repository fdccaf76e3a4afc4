"""Fields that are not for everybody are left out, however deep they stand."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel

from domain.frame.access import AccessRole, FieldGroup, Principal
from gateway.views.shown import shown


class _Asset(BaseModel):
    name: str
    price: Annotated[Decimal | None, FieldGroup.PRICES] = None


class _Customer(BaseModel):
    assets: list[_Asset]
    by_id: dict[str, _Asset]
    note: Annotated[str, FieldGroup.NOTES] = "call after nine"


SEATS = _Asset(name="Seats", price=Decimal("12.50"))
WHOLE = _Customer(assets=[SEATS], by_id={"a": SEATS})


def _as(role: AccessRole) -> dict[str, object]:
    return shown(WHOLE, Principal("staff:s-1", "s-1", frozenset({role})))


def test_each_role_sees_its_groups() -> None:
    full = {"name": "Seats", "price": "12.50"}
    assert _as(AccessRole.SALES) == {"assets": [full], "by_id": {"a": full}, "note": "call after nine"}
    assert _as(AccessRole.SERVICE) == {
        "assets": [{"name": "Seats"}],
        "by_id": {"a": {"name": "Seats"}},
        "note": "call after nine",
    }
    assert _as(AccessRole.FINANCE) == {"assets": [full], "by_id": {"a": full}}
