"""What a service sends as its key: an id that may be shown, and a secret that is shown once."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

_TOKEN = re.compile(r"prn_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Token:
    """A key as it is sent. Its secret is kept nowhere: shown once, or lost."""

    key_id: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"prn_{self.key_id}_{self.secret}"

    @classmethod
    def new(cls) -> Token:
        """One that nobody has seen before."""
        return cls(secrets.token_hex(6), secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def of_form(cls, browser: str, form: str) -> Token:
        """The one that a form makes, the same however often the form is sent. Both are secrets: that of the browser's session, and one
        that stands in this form alone."""
        made = [hmac.new(browser.encode(), f"{part}:{form}".encode(), hashlib.sha256) for part in ("id", "secret")]
        return cls(made[0].hexdigest()[:12], made[1].hexdigest()[:43])

    @classmethod
    def read(cls, said: str) -> Token | None:
        """Null for what is none."""
        found = _TOKEN.fullmatch(said)
        return cls(found[1], found[2]) if found else None
