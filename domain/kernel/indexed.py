"""Documents that keep an index over themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from domain.kernel.base import Received


class Indexed(Received):
    """A received document with cached indexes. A copy with other fields is checked, and indexed anew."""

    def having(self, **changes: Any) -> Self:
        return self.model_copy(update=changes)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        if not update:
            return super().model_copy(deep=deep)
        return type(self).model_validate({name: getattr(self, name) for name in type(self).model_fields} | dict(update))
