"""Authentication-Results (RFC 8601): what our own mail server found out about who sent a mail."""

from __future__ import annotations

import re
from collections.abc import Sequence

_RESULT = re.compile(r"([a-z][a-z0-9-]*)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_PASS, _FAIL, _SOFT = "pass", "fail", "softfail"
_METHODS = ("dmarc", "spf", "dkim")


def doubt_of(headers: Sequence[str], authserv_id: str | None) -> str | None:
    """Why a mail may be forged, in words; null if nothing speaks for it, or no server is trusted to say so.

    Args:
        headers: the values of the mail's Authentication-Results, the topmost first.
        authserv_id: the name by which our server writes its own. The topmost one of that name counts: servers write above
            what they got, so that whatever stands below, or names another server, may be part of the forgery.
    """
    if authserv_id is None:
        return None
    for header in headers:
        named, results = _read(header)
        if named.lower() == authserv_id.lower():
            return _doubt(results)
    return None


def _doubt(results: list[tuple[str, str]]) -> str | None:
    def said(method: str) -> list[str]:
        return [result for name, result in results if name == method]

    if _FAIL in said("dmarc"):
        return "its sender may be forged: our mail server says that DMARC failed"
    if any(_PASS in said(one) for one in _METHODS):
        return None
    spf, unsigned = said("spf"), _FAIL not in said("dkim")
    if (_FAIL in spf or _SOFT in spf) and not unsigned:
        return "its sender may be forged: our mail server says that SPF and DKIM failed"
    if _FAIL in spf:  # without a signature that holds nothing speaks for it; softfail alone is what forwarding leaves
        return "its sender may be forged: our mail server says that SPF failed, and no signature holds"
    return None


def _read(header: str) -> tuple[str, list[tuple[str, str]]]:
    """The server's name, and each method with its result, in small letters."""
    named, *rest = _split(header)
    words = named.split()
    found = (_RESULT.match(part.strip()) for part in rest)
    return (words[0] if words else ""), [(one[1].lower(), one[2].lower()) for one in found if one]


def _split(header: str) -> list[str]:
    """The parts between semicolons, without comments, which may be nested, and without the quotes of quoted words."""
    parts = [""]
    depth, quoted, escaped = 0, False, False
    for char in header:
        if escaped:
            escaped = False
        elif char == "\\" and (quoted or depth):
            escaped = True
            continue
        elif char == '"' and not depth:
            quoted = not quoted
            continue
        elif not quoted and char in "()":
            depth = max(depth + (1 if char == "(" else -1), 0)
            continue
        elif char == ";" and not quoted and not depth:
            parts.append("")
            continue
        if not depth:
            parts[-1] += char
    return parts
