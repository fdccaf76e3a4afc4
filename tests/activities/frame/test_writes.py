"""What decisions can write is carried out: each kind of write by a handler, each statement by fields that there are."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages
from typing import Any, get_type_hints

import pytest

import domain
from activities.frame.handlers import Sql, inserted, updated
from activities.frame.writes import HANDLERS
from domain.billing.writes import BILLED
from domain.kernel.base import Write


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
    for name in handler.fields:
        of: Any = kind
        for part in name.split("."):
            known = get_type_hints(of)
            assert part in known or hasattr(of, part), f"{kind.__name__} has no {name}"
            of = known.get(part)


def test_a_statement_is_made_of_columns_and_fields() -> None:
    assert inserted("offer", "offer_id status='open' at=as_of", "on conflict do nothing").text == (
        'insert into offer ("offer_id", "status", "at") values ($1, \'open\', $2) on conflict do nothing'
    )
    assert updated("lead", "status reason=says", "lead_id=id", "closed_at is null").text == (
        "update lead set status = $1, reason = $2 where lead_id = $3 and closed_at is null"
    )
    cast = Sql("select :ids::text[], :note.name, :ids")
    assert (cast.text, cast.fields) == ("select $1::text[], $2, $1", ["ids", "note.name"])
