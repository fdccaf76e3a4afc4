"""Under which name the console is spoken to, and what follows from it for cookies."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:  # whoever only reads settings does without
    from starlette.requests import Request


def is_loopback(host: str | None) -> bool:
    """True for a name or address that never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_secure(request: Request) -> bool:
    """True if cookies may leave by https alone: everywhere but on loopback, where there is no line to listen to."""
    return not is_loopback(request.url.hostname)


def cookie_name(request: Request, name: str) -> str:
    """The prefix binds a cookie to this very host; browsers take it over https alone."""
    return f"__Host-perennial-{name}" if is_secure(request) else f"perennial-{name}"


def origin(request: Request) -> str:
    """The address that people see, as far as its host: by https everywhere but on loopback, whatever a proxy forgot to say."""
    scheme = "https" if is_secure(request) else request.url.scheme
    return f"{scheme}://{request.url.netloc}"


def is_safe_address(address: object) -> bool:
    """True for one that is reached by https, or never leaves this machine."""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    )
