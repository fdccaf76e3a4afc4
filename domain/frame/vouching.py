"""In which role a request counts: the one that it claims if a door of ours passed it on, else that of service.

Whoever reaches the engine can send an update that claims anything. A door signs the id of the update that it sends, with a key that lies
in the database alone; what is sent by the bare engine has no such id. The signature is over whom is asked, what, and all of the request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from domain.frame.access import takes
from domain.frame.request_kinds import RequestKind

_BARE = ("service", "agent")
"""The role of whoever comes by the bare engine, as fields of a role call it."""


def signed_id(made: str, workflow_id: str, update: str, request: Mapping[str, Any], number: int, secret: bytes) -> str:
    """The id of an update that a door sends, from one that was made for it: `….3.9f86d0…`, with the number of the key."""
    return f"{made}.{number}.{_mac(made, workflow_id, update, request, secret)}"


def key_number(update_id: str) -> int | None:
    """The number of the key by which an id says that it is signed; null for one that says nothing of it."""
    number = update_id.rpartition(".")[0].rpartition(".")[2]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 6 else None


def is_signed(update_id: str, workflow_id: str, update: str, request: Mapping[str, Any], secret: bytes) -> bool:
    """True if the key of this secret signed the id for this very request."""
    named, _, mac = update_id.rpartition(".")
    return hmac.compare_digest(mac, _mac(named.rpartition(".")[0], workflow_id, update, request, secret))


def _mac(made: str, workflow_id: str, update: str, request: Mapping[str, Any], secret: bytes) -> str:
    content = json.dumps(to_jsonable_python(request), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    signed = "\0".join(("role", made, workflow_id, update, content))
    return hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()[:40]


def as_service(kind: RequestKind[Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """The request in the role of service, whatever it claims; without a role where the field knows none of that name."""
    field: TypeAdapter[Any] = TypeAdapter(kind.model.model_fields["role"].rebuild_annotation())
    role = next((name for name in _BARE if takes(field, name)), None)
    return {**{name: value for name, value in request.items() if name != "role"}, **({"role": role} if role else {})}
