"""What was asked under a request's id: a fingerprint of the content, so that a repetition is told from another request."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel

from domain.kernel.base import Received
from domain.kernel.refusals import REQUEST_CONFLICT, Refusal

_NOT_CONTENT = frozenset({"request_id", "by"})
"""Who asks, and under which id, is not what is asked."""


@dataclass(frozen=True)
class Asked:
    """What is asked under an id. `older`: the fingerprint that the release before made of the same request, if it made one."""

    request_id: str
    digest: str
    older: str | None = None

    def check(self, before: str | None, *, kind: str | None = None) -> None:
        """Raises `Refusal` (RequestConflict) if `before`, the fingerprint on record, is that of something else.

        Without one on record nobody can tell, and the request counts as the same. `kind`: what the id was used for, if that
        was a request of another kind.
        """
        if kind is not None:
            raise Refusal(
                REQUEST_CONFLICT,
                f"request {self.request_id!r} was made before and asked for something else"
                f" ({kind.removeprefix('case_').replace('_', ' ')}); nothing was changed. Give this one an id of its own",
            )
        if before is None or before in (self.digest, self.older):
            return
        raise Refusal(
            REQUEST_CONFLICT,
            f"request {self.request_id!r} was made before and asked for something else; nothing was changed."
            " Give this one an id of its own",
        )


def asked_by(
    request: Received, request_id: str, *, older: str | None = None, aside: frozenset[str] = frozenset()
) -> Asked:
    """What a request asks under its id; `aside`: fields that are said about it, and are not what is asked."""
    return Asked(request_id, digest_of(request, aside), older)


def digest_of(request: Received, aside: frozenset[str] = frozenset()) -> str:
    """What is asked, whoever asks and however it is written down: only what was said, so that fields of later releases,
    and defaults that are spelt out, make no difference."""
    said = {name: value for name, value in _said(request).items() if name not in _NOT_CONTENT | aside}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _said(model: BaseModel) -> dict[str, Any]:
    fields = type(model).model_fields
    said = {}
    for name in model.model_fields_set:
        value = getattr(model, name)
        if value is not None and value != fields[name].get_default(call_default_factory=True):
            said[name] = _canonical(value)
    return said


def _canonical(value: Any) -> Any:
    match value:
        case BaseModel():
            return _said(value)
        case dict():
            return {str(key): _canonical(item) for key, item in value.items()}
        case list() | tuple():
            return [_canonical(item) for item in value]
        case set() | frozenset():
            return sorted(_canonical(item) for item in value)
        case Enum():
            return value.value
        case Decimal():
            return format(value.normalize(), "f") if value else "0"
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case _:
            return value
