"""How a delivery can fail, told apart by what the caller should do about it."""

from __future__ import annotations


class ChannelUnavailableError(Exception):
    """Nothing was delivered and nothing is wrong with the message: try again later, for as long as it takes."""


class AddressRejectedError(Exception):
    """The recipient's address is refused for good: ask for another one. `code` is the SMTP reply, None if it cannot be sent at all."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"{code} {reason}" if code else reason)
        self.code = code
        self.reason = reason


class MessageRejectedError(Exception):
    """The message is refused for good whoever it is for. `code` is the SMTP reply, None if it cannot be sent at all."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"{code} {reason}" if code else reason)
        self.code = code
        self.reason = reason


class RenderError(ValueError):
    """A message cannot be put into words: its template or its context is wrong, and will be on every attempt."""

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(f"message {template!r} cannot be rendered: {reason}")
        self.template = template
        self.reason = reason
