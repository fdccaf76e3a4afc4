"""Text and addresses that come from elsewhere, made safe for one line of a header."""

from __future__ import annotations

import re

# Controls, line and paragraph separators, and lone surrogates, which no encoding can carry.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_LOCAL_LIMIT, _ADDRESS_LIMIT = 64, 254


def one_line(value: str) -> str:
    """`value` on one line and printable: every run of controls, line breaks or lone surrogates becomes a space."""
    return _UNPRINTABLE.sub(" ", value).strip()


def wire_address(address: str) -> str:
    """`address` as SMTP takes it everywhere: an ASCII dot-atom before the "@", after it a domain, in its IDNA form.

    Raises ValueError, which says what is wrong with it.
    """
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local) or len(local) > _LOCAL_LIMIT:
        raise ValueError(
            f"{one_line(address)[:80]!r} is no address that can be written to; use name@domain in plain letters"
        )
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_domain = ""
    if not _DOMAIN.fullmatch(ascii_domain) or len(local) + 1 + len(ascii_domain) > _ADDRESS_LIMIT:
        raise ValueError(
            f"{one_line(domain)[:80]!r} in {one_line(address)[:80]!r} is no domain that mail can be sent to"
        )
    return f"{local}@{ascii_domain}"
