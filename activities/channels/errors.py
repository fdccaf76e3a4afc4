"""How a delivery can fail, told apart by what the caller should do about it."""

from __future__ import annotations

from datetime import timedelta


class ChannelUnavailableError(Exception):
    """Nothing was delivered and nothing is wrong with the message: try again later, for as long as it takes."""


class UncertainError(ChannelUnavailableError):
    """As above, but the message was handed over and nobody said whether it was taken: it may have been."""


class PacedError(ChannelUnavailableError):
    """So many mails wait for their turn that this one comes again, after `again_in`, for its own."""

    def __init__(self, again_in: timedelta) -> None:
        super().__init__(
            f"more mails are to leave than PERENNIAL_MAILS_PER_SECOND lets go for {again_in.total_seconds():.0f} s"
        )
        self.again_in = again_in


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
