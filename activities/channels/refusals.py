"""What an SMTP server's "no" means (RFC 5321, RFC 3463): is it the address, the message, or something that passes?"""

from __future__ import annotations

import re

import aiosmtplib

from activities.channels.errors import AddressRejectedError, ChannelUnavailableError, MessageRejectedError
from activities.channels.text import one_line

# Replies about the dialogue, our login or the server itself: mending them is our work, whatever they answered.
_OURS = frozenset({500, 502, 503, 504, 521, 530, 534, 535, 538, 555})
_TOO_LARGE = 552
_STATUS = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")
_ADDRESS, _MAILBOX = "1", "2"
_SENDER_ADDRESS = frozenset({"7", "8"})  # x.1.7 and x.1.8: the sender's address, not the recipient's
_MESSAGE_TOO_LONG = "3"  # x.2.3
# Servers without status codes say in words that they do not know us.
_ABOUT_US = re.compile(r"\brelay|\bsender\b|authenticat", re.IGNORECASE)


def verdict(error: aiosmtplib.SMTPException) -> Exception:
    """The error to raise for what the SMTP client reports; ChannelUnavailableError unless a refusal is clearly for good."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return _of_recipient(error.recipients[0])
    if isinstance(error, aiosmtplib.SMTPDataError):
        return _of_data(error)
    if isinstance(error, aiosmtplib.SMTPSenderRefused) and error.code == _TOO_LARGE:
        return MessageRejectedError(error.code, one_line(error.message))
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _passing(error)
    return ChannelUnavailableError(one_line(str(error)))


def _of_recipient(error: aiosmtplib.SMTPResponseException) -> Exception:
    if not _for_good(error.code):
        return _passing(error)
    status = _STATUS.search(error.message)
    about_address = _about_recipient(status) if status else not _ABOUT_US.search(error.message)
    return AddressRejectedError(error.code, one_line(error.message)) if about_address else _passing(error)


def _of_data(error: aiosmtplib.SMTPResponseException) -> Exception:
    if not _for_good(error.code):
        return _passing(error)
    status = _STATUS.search(error.message)
    if status is not None and _about_recipient(status):  # some servers look the recipient up only now
        return AddressRejectedError(error.code, one_line(error.message))
    return MessageRejectedError(error.code, one_line(error.message))


def _for_good(code: int) -> bool:
    return 500 <= code < 600 and code not in _OURS


def _about_recipient(status: re.Match[str]) -> bool:
    subject, detail = status.groups()
    if subject == _ADDRESS:
        return detail not in _SENDER_ADDRESS
    return subject == _MAILBOX and detail != _MESSAGE_TOO_LONG


def _passing(error: aiosmtplib.SMTPResponseException) -> Exception:
    return ChannelUnavailableError(one_line(f"{error.code} {error.message}"))
