"""Reports that a mail could not be delivered, by the standard (RFC 3464) or as servers write them in their own words."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.message import Message
from itertools import chain, islice

from flufl.bounce import all_failures

from domain.kernel.base import Carried
from domain.mail.headers import Headers, addresses_in, decoded_header, header_fields, message_ids
from domain.mail.mime_parts import all_parts, content_of, inner_parts, media_type, text_of
from domain.mail.wording import Wording

_said = Wording("bounces")

_SCANNED_BYTES = 200_000
"""A server's own words stand at the beginning; what follows is the mail that came back."""
_IDS_LIMIT = 50
_STATUSES = ("message/delivery-status", "message/global-delivery-status")


class Bounce(Carried):
    """A report that a mail could not be delivered. `message_ids` are those of the mail that it is about."""

    recipient: str
    status: str
    said: str
    message_ids: tuple[str, ...] = ()

    @property
    def is_for_good(self) -> bool:
        """True if the address itself was refused and will be again: the same judgement as of an SMTP reply (RFC 3463)."""
        if self.status.startswith("4"):
            return False
        within = _said.status.search(self.said)
        status = self.status if not self.status.endswith(".0.0") or within is None else within[0]
        found = re.fullmatch(r"5\.(\d{1,3})\.(\d{1,3})", status)
        if found is None or status == "5.0.0":
            return (
                self.status.startswith("5")
                and _said.unknown_user.search(self.said) is not None
                and not _said.passing.search(self.said)
            )
        subject, detail = found.groups()
        by_address = subject == "1" and detail not in ("7", "8", "9")
        return by_address or (subject == "2" and detail in ("0", "1")) or (subject == "4" and detail in ("1", "4"))


def is_report(message: Message, headers: Headers, return_path: str | None, sender: str) -> bool:
    """True for a delivery report: of the standard's form, or from a mail server with a subject that says so."""
    if media_type(message) == "multipart/report":
        return True
    if headers.has("x-failed-recipients"):
        return True
    subject = headers.first("subject") or ""
    named = " ".join(headers.raw("from")[:1])
    from_server = bool(_said.robots.match(sender) or _said.server.search(named)) or (
        return_path is not None and return_path.strip().strip("<>") == ""
    )
    return from_server and bool(_said.subjects.search(subject))


def bounce_of(message: Message, headers: Headers) -> Bounce | None:
    """What a delivery report says of the first recipient that failed; null if it says nothing of one."""
    standard = _by_the_standard(message)
    if standard is not None:
        return standard
    if media_type(message) == "multipart/report" and _report_type(headers) not in ("", "delivery-status"):
        return None  # a receipt, a complaint
    return _in_own_words(message, headers)


def _report_type(headers: Headers) -> str:
    found = re.search(r"report-type\s*=\s*\"?([\w-]+)", headers.first("content-type") or "", re.IGNORECASE)
    return found[1].lower() if found else ""


def _returned(message: Message) -> Iterator[Headers]:
    """The headers of the mails that came back with a report."""
    for part in all_parts(message):
        match media_type(part):
            case "message/rfc822" | "message/global":
                yield from map(Headers, inner_parts(part))
            case "text/rfc822-headers" | "message/global-headers":
                yield Headers.of(header_fields(content_of(part)))


def _ids(message: Message) -> Iterator[str]:
    return (one for headers in _returned(message) for one in message_ids(headers.first("message-id")))


def _by_the_standard(message: Message) -> Bounce | None:
    statuses = [part for part in all_parts(message) if media_type(part) in _STATUSES]
    said = [fields for part in statuses for fields in map(_fields_of, inner_parts(part)) if fields.get("action")]
    about = next((one for action in ("failed", "delayed") for one in said if _action(one) == action), None)
    if about is None:
        return None
    recipient = (about.get("original-recipient") or about.get("final-recipient") or "").rpartition(";")[2].strip()
    status = _said.status.search(about.get("status", ""))
    return Bounce(
        recipient=next((address for _, address in addresses_in([recipient])), ""),
        status=status[0] if status else ("4.0.0" if _action(about) == "delayed" else ""),
        said=about.get("diagnostic-code", "").partition(";")[2].strip()[:300] or "the address was refused",
        message_ids=tuple(islice(_ids(message), _IDS_LIMIT)),
    )


def _action(fields: dict[str, str]) -> str:
    return fields.get("action", "").partition("(")[0].strip().lower()


def _fields_of(block: Message) -> dict[str, str]:
    return {name.lower(): decoded_header(str(value)) for name, value in block.raw_items()}


# Servers that keep to no standard


def _in_own_words(message: Message, headers: Headers) -> Bounce | None:
    text = "\n".join(_texts(message))[:_SCANNED_BYTES]
    temporary, permanent = _failures(message)
    named = [address for _, address in addresses_in(headers.raw("x-failed-recipients"))]
    found = [*named, *sorted(permanent), *sorted(temporary)] or list(_sent_to(message, text))
    recipient = next(iter(found), "")
    if not recipient:
        return None
    said = _sentence(text, recipient)
    status = _said.status.search(said) or _said.status.search(text)
    reply = _said.reply.search(said)
    guessed = "4.0.0" if recipient in temporary and recipient not in permanent else f"{reply[1] if reply else '5'}.0.0"
    ids = [found for line in text.split("\n") if line.lower().startswith("message-id:") for found in message_ids(line)]
    return Bounce(
        recipient=recipient,
        status=status[0] if status else guessed,
        said=said,
        message_ids=tuple(islice(chain(ids, _ids(message)), _IDS_LIMIT)),
    )


def _failures(message: Message) -> tuple[set[str], set[str]]:
    """The addresses that failed for now and for good, as the detectors of mailing lists find them."""
    try:
        short = email.message_from_bytes(message.as_bytes()[:_SCANNED_BYTES])
        temporary, permanent = all_failures(short)
    except Exception:  # they expect mails that are whole
        return set(), set()
    return _texts_of(temporary), _texts_of(permanent)


def _texts_of(found: object) -> set[str]:
    said = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in found]  # type: ignore[attr-defined]
    return {address for _, address in addresses_in(said)}


def _texts(message: Message) -> Iterator[str]:
    for part in all_parts(message):
        if media_type(part) in ("text/plain", "text/html"):
            yield text_of(part)


def _sent_to(message: Message, text: str) -> Iterator[str]:
    """To whom the mail that came back had gone: by its own headers, wherever the report quotes them."""
    for headers in _returned(message):
        yield from (address for _, address in addresses_in(headers.raw("to")))
    for line in _said.to.findall(text)[:5]:
        yield from (address for _, address in addresses_in([line[:500]]))


def _sentence(text: str, recipient: str) -> str:
    """What the server says beside the address."""
    at = text.lower().find(recipient.split("@")[0].lower())
    return " ".join(text[max(at, 0) : max(at, 0) + 400].split())[:300] or "the address was refused"
