"""Every document that Perennial reads, by the name under which its JSON Schema is printed: files, and requests by update.

A request goes by the name of its update; those of a service case whose name a journey has too go by `case.` and the name.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from domain.frame.playbook import Playbook
from domain.journey.installed_base import ImportedAsset
from domain.journey.registry import CASE, JOURNEY
from domain.orders.order import Order
from domain.orders.provisioning import ProvisioningRequest, ProvisioningResult
from domain.success.usage import UsageRow
from workers.rehearsal.story import Story

Models = dict[str, type[BaseModel]]

FILES: Models = {
    "order": Order,
    "story": Story,
    "playbook": Playbook,
    "usage": UsageRow,
    "asset": ImportedAsset,
    "provisioning_request": ProvisioningRequest,
    "provisioning_answer": ProvisioningResult,
}
OF_JOURNEY: Models = {name: kind.model for name, kind in JOURNEY.items()}
OF_CASE: Models = {name: kind.model for name, kind in CASE.items()}
_REQUESTS = {**{f"case.{name}" if name in JOURNEY else name: kind for name, kind in CASE.items()}, **JOURNEY}
DOCUMENTS: Models = {**{name: kind.model for name, kind in _REQUESTS.items()}, **FILES}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of a document; that of a request has an example."""
    return _REQUESTS[name].schema() if name in _REQUESTS else FILES[name].model_json_schema()
