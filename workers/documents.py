"""Every document that Perennial reads, by the name under which its JSON Schema is printed: files, and requests by update.

A request goes by the name of its update; those of a service case whose name a journey has too go by `case.` and the name.
"""

from __future__ import annotations

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
DOCUMENTS: Models = {
    **{f"case.{name}" if name in OF_JOURNEY else name: model for name, model in OF_CASE.items()},
    **OF_JOURNEY,
    **FILES,
}
