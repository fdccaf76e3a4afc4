"""What signing in by OpenID Connect goes by, whoever the provider is: how Perennial is registered there, one sign-in, its proof."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class ProviderAwayError(Exception):
    """The provider does not answer, or not as one; the message says what was wrong, for the log."""


class NotBelievedError(Exception):
    """What came back proves nobody; the message says why, for the log."""


@dataclass(frozen=True)
class Registration:
    """How Perennial is known to the provider, and what the provider says that counts here.

    claim: which of its claims says who somebody is; `email` has to be verified. roles_claim: which one has groups, a dot leading into
    an object; `roles` are those that each group gives.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    scope: str = "openid email profile"
    claim: str = "email"
    roles_claim: str | None = None
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """One sign-in of one browser: all of it follows from the browser's secret, so that nobody else can end it."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def of(cls, browser: str, state: str) -> Attempt:
        """That of a browser, by the state that went with it to the provider and comes back."""

        def derived(what: str) -> str:
            return hmac.new(browser.encode(), f"{what}:{state}".encode(), hashlib.sha256).hexdigest()

        return cls(state, derived("nonce"), derived("verifier"))


@dataclass(frozen=True)
class Proof:
    """Who somebody is for the provider: what it signed, and the token itself."""

    claims: Mapping[str, Any]
    token: str

    @property
    def subject(self) -> str:
        """Who they are, whatever else they are called meanwhile: the issuer's address, a space, their subject."""
        return f"{self.claims['iss']} {self.claims['sub']}"
