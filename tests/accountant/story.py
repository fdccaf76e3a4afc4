"""A story is plain data: customers with their orders, and acts on days counted from its beginning.

`day N` in a request or an order stands for that date, `~` before an id for the run, so that one story can be lived often.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

DATA = Path(__file__).parent / "data"
_DAY = re.compile(r"day (-?\d+)")

STAFF = {"staff_id": "s-1", "name": "Ann Lee", "email": "ann@seller.example"}
PRODUCTS = [
    {"code": "CRM", "name": "CRM", "kind": "subscription"},
    {"code": "PRO", "name": "CRM Pro", "kind": "subscription"},
    {"code": "CARE", "name": "Care", "kind": "support"},
    {"code": "TAB", "name": "Tablet", "kind": "device"},
    {"code": "BEANS", "name": "Beans", "kind": "goods"},
]


@dataclass(frozen=True)
class Story:
    """One story with its dates: `first` is day 0, `acts` are in the order in which they happen."""

    name: str
    first: date
    days: int
    accounts: tuple[dict[str, Any], ...]
    acts: tuple[dict[str, Any], ...]
    by_dice: bool = False
    products: tuple[dict[str, Any], ...] = ()
    """what this story alone sells: prices are published for everybody"""

    @property
    def zone(self) -> str:
        """All customers of a story share a zone, so that an act is on one day for all of them."""
        return str(self.accounts[0]["time_zone"])

    @property
    def currency(self) -> str:
        """All customers of a story pay in one currency."""
        return str(self.accounts[0]["currency"])

    def instant(self, day: int, at: str) -> datetime:
        """The instant of a local time on a day."""
        local = datetime.combine(self.first + timedelta(days=day), time.fromisoformat(at))
        return local.replace(tzinfo=ZoneInfo(self.zone))


def told(document: dict[str, Any], run: str, after: date) -> Story:
    """The story with ids of this run. It begins at `begins`: a date, or the next `MM-DD` that comes after `after`."""
    text = json.dumps(document, ensure_ascii=False).replace("~", f"{run}-")
    document = json.loads(text)
    first = _begins(document["begins"], after)
    shared = {key: document[key] for key in ("currency", "time_zone", "country")}
    accounts = tuple({**shared, **account} for account in _dated(document["accounts"], first))
    acts = [act for account in accounts for act in account.get("orders", ())] + _dated(document.get("acts", []), first)
    acts = [{"at": "11:00", **act} for act in acts]
    acts.sort(key=lambda act: (act["day"], act["at"]))
    return Story(
        document["name"],
        first,
        document["days"],
        accounts,
        tuple(acts),
        document.get("by_dice", False),
        tuple(document.get("products", ())),
    )


def order_document(story: Story, account: dict[str, Any], act: dict[str, Any]) -> dict[str, Any]:
    """The order that an act places, as the door takes it."""
    order = act["order"]
    return {
        "order_id": order["order_id"],
        "activated_at": story.instant(act["day"], act["at"]).isoformat(),
        "currency": account["currency"],
        "account": {
            "account_id": account["account_id"],
            "name": f"Company {account['account_id']}",
            "country": account["country"],
            "time_zone": account["time_zone"],
            "segment": account.get("segment", "tech_touch"),
            "owner": STAFF,
        },
        "contacts": [{"contact_id": "p-1", "name": "Jo Weber", "email": f"jo@{account['account_id']}.example"}],
        "products": [*PRODUCTS, *story.products],
        "contracts": order.get("contracts", []),
        "lines": order.get("lines", []),
    }


def read_data() -> list[dict[str, Any]]:
    """The stories that lie beside this module."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))]


def _begins(rule: str, after: date) -> date:
    if not rule.startswith("--"):
        return date.fromisoformat(rule)
    month, day = int(rule[2:4]), int(rule[5:7])
    for year in range(after.year, after.year + 9):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found > after:
            return found
    raise ValueError(f"no {rule} within nine years")


def _dated(value: Any, first: date) -> Any:
    if isinstance(value, dict):
        return {key: _dated(item, first) for key, item in value.items()}
    if isinstance(value, list):
        return [_dated(item, first) for item in value]
    if isinstance(value, str) and (found := _DAY.fullmatch(value)):
        return (first + timedelta(days=int(found[1]))).isoformat()
    return value
