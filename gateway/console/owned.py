"""What a customer owns now, with the acts that begin at each: a link opens the form with that asset filled in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from domain.kernel.zones import local_time
from gateway.console.openings import Openings, openings
from gateway.console.visit import Visit
from gateway.views.whose import Whose

_ACTS = {
    "request_quote": "lines[0].asset_id",
    "amend_assets": "assets[0].asset_id",
    "renew_assets": "assets[0].asset_id",
    "swap_assets": "assets[0].asset_id",
    "cancel_assets": "assets[0].asset_id",
    "transfer_assets": "assets[0].asset_id",
}
"""What is asked of an asset, and the question that it answers."""


@dataclass(frozen=True)
class Holding:
    """An asset, or several that are alike. `acts`: what can be asked, each with the address of its form."""

    product: str
    units: str
    days: str
    ids: tuple[str, ...]
    acts: Openings


def holdings(assets: Sequence[Mapping[str, Any]], of: Whose, visit: Visit) -> list[Holding]:
    """What is owned, those that are alike as one."""
    return [_holding(list(group), of, visit) for _, group in groupby(sorted(assets, key=_order), key=_kind)]


def _kind(asset: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(str(asset[name]) for name in ("product", "contract_id", "quantity", "starts_at", "ends_at"))


def _order(asset: Mapping[str, Any]) -> tuple[Any, ...]:
    return *_kind(asset), asset["id"]


def _holding(alike: Sequence[Mapping[str, Any]], of: Whose, visit: Visit) -> Holding:
    t, first = visit.words, alike[0]
    last = first["ends_at"] - timedelta(seconds=1) if first["ends_at"] else None
    units = t.number(first["quantity"])
    return Holding(
        first["product"],
        f"{len(alike)} × {units}" if len(alike) > 1 else units,
        f"{t.day(first['starts_at'], of.time_zone)} – {t.day(last, of.time_zone)}".rstrip(),
        tuple(one["id"] for one in alike),
        _acts(first, of, visit),
    )


def _acts(asset: Mapping[str, Any], of: Whose, visit: Visit) -> Openings:
    once = asset["selling_model"] == "one_time"
    acts = {update: {question: str(asset["id"])} for update, question in _ACTS.items()}
    if once:
        del acts["renew_assets"]
    elif asset["contract_id"]:
        acts["renew_assets"] = {"contract_id": asset["contract_id"]}
    if asset["starts_at"] > of.now:  # nothing of it can change before it begins
        acts["request_quote"]["lines[0].start"] = local_time(asset["starts_at"], of.time_zone).date().isoformat()
    return openings(visit, of.account_id, acts)
