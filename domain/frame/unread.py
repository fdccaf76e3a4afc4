"""What was left out when a customer was read, because hardly anybody asks for it."""

from __future__ import annotations

from typing import Any, Final, NoReturn


class NotReadError(BaseException):
    """Somebody asked for what was not read: no mistake, but a reason to begin anew with all of the customer."""


class Unread(list[Any]):
    """A list that was left out. To ask for anything in it raises `NotReadError`, so that nobody takes it for an empty one."""

    def _asked(self, *_: Any) -> NoReturn:
        raise NotReadError("contracts and assets were left out when the customer was read")

    __iter__ = __reversed__ = __len__ = __bool__ = __contains__ = __getitem__ = __eq__ = _asked
    __hash__ = None


UNREAD: Final[list[Any]] = Unread()
