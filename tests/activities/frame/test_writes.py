"""What decisions can write is carried out: each kind of write by a handler, each statement by fields that there are."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, get_type_hints

import pytest

import activities
import domain
from activities.frame.handlers import Sql, inserted, updated
from activities.frame.writes import HANDLERS
from activities.kernel.inserts import Insert, Rows
from domain.billing.writes import BILLED
from domain.contracts.consignments import TransferStatus
from domain.contracts.writes import SettleTransfer
from domain.kernel.base import Write

AT = datetime(2027, 3, 1, 9, tzinfo=UTC)


def _kinds() -> set[type[Write]]:
    for module in walk_packages(domain.__path__, "domain."):
        import_module(module.name)
    return set(Write.__subclasses__())


def test_every_kind_of_write_has_its_handler() -> None:
    assert set(HANDLERS) == _kinds() - set(BILLED)


@pytest.mark.parametrize("kind", [kind for kind, handler in HANDLERS.items() if isinstance(handler, Sql)])
def test_a_statement_names_fields_of_its_write(kind: type[Write]) -> None:
    handler = HANDLERS[kind]
    assert isinstance(handler, Sql)
    _has(kind, handler.fields)


def _has(kind: type[Any], fields: list[str]) -> None:
    for name in fields:
        of: Any = kind
        for part in name.split("."):
            known = get_type_hints(of)
            assert part in known or hasattr(of, part), f"{kind.__name__} has no {name}"
            of = known.get(part)


def _rows() -> list[Rows[Any]]:
    modules = [import_module(module.name) for module in walk_packages(activities.__path__, "activities.")]
    return list({id(one): one for module in modules for one in vars(module).values() if isinstance(one, Rows)}.values())


@pytest.mark.parametrize("rows", _rows(), ids=lambda rows: f"{rows.insert.table} of {rows.kind.__name__}")
def test_a_row_is_made_of_attributes_that_its_things_have(rows: Rows[Any]) -> None:
    _has(rows.kind, rows.fields)
    assert rows.given <= set(rows.insert.columns)


def test_a_thing_without_a_column_would_be_seen() -> None:
    table = Insert("asset", "asset_id product_code=product")
    with pytest.raises(AssertionError, match="SettleTransfer has no asset_id"):
        _has(SettleTransfer, table.of(SettleTransfer).fields)
    with pytest.raises(TypeError, match="is given"):
        table.of(SettleTransfer, "asset_id product_code").row(SettleTransfer("T", TransferStatus.REFUSED, "", AT))


def test_a_statement_is_made_of_columns_and_fields() -> None:
    assert inserted("offer", "offer_id status='open' at=as_of", "on conflict do nothing").text == (
        'insert into offer ("offer_id", "status", "at") values ($1, \'open\', $2) on conflict do nothing'
    )
    assert updated("lead", "status reason=says", "lead_id=id", "closed_at is null").text == (
        "update lead set status = $1, reason = $2 where lead_id = $3 and closed_at is null"
    )
    cast = Sql("select :ids::text[], :note.name, :ids")
    assert (cast.text, cast.fields) == ("select $1::text[], $2, $1", ["ids", "note.name"])
