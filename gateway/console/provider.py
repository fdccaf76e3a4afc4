"""The identity provider of a company, by OpenID Connect: found by its issuer, asked by a code, believed by its keys.

Sources: OpenID Connect Core 1.0, 3.1; Discovery 1.0; RP-Initiated Logout 1.0; PKCE, RFC 7636; RFC 9207 for `iss` in the answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError, MissingKeyError
from joserfc.jwk import Key, KeySet, import_key
from joserfc.jws import JWSRegistry

from activities.channels.posting import trusted
from activities.kernel.clock import present
from gateway.console.hosts import is_safe_address
from gateway.console.identity import Attempt, NotBelievedError, Proof, ProviderAwayError, Registration

_log = logging.getLogger(__name__)
_WITHIN = 10
"""Seconds for all that is asked of the provider at once."""
_FOUND_FOR = timedelta(hours=1)
_LEEWAY = 60
"""Seconds by which two clocks may be apart."""
_SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""By a key of the provider's own: never by the client's secret, and never not at all."""
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """The provider at one issuer. What it publishes is asked for anew every hour, its keys whenever one is unknown."""

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        self.host = urlsplit(registration.issuer).hostname or registration.issuer
        self._published: tuple[datetime, Mapping[str, Any]] | None = None
        self._keys: KeySet | None = None

    async def way_in(self, attempt: Attempt, back: str) -> str:
        """Where a browser goes to sign in; it comes back to the address `back`. Raises ProviderAwayError."""
        async with self._client(back) as client:
            published = await self._metadata(client)
            address, _ = client.create_authorization_url(
                published["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
        return str(address)

    async def proof(self, attempt: Attempt, back: str, code: str, issuer: str) -> Proof:
        """Who came back with a code. issuer: who says that it answers, empty if nobody does.

        Raises ProviderAwayError, and NotBelievedError.
        """
        async with self._client(back) as client:
            published = await self._metadata(client)
            says_who = published.get("authorization_response_iss_parameter_supported") is True
            if issuer != published["issuer"] and (issuer or says_who):
                raise NotBelievedError("another issuer answered")
            given = await client.fetch_token(
                published["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=attempt.verifier,
                auth=client.client_auth(self._says_who_by(published)),
            )
            token = given.get("id_token")
            if not isinstance(token, str):
                raise NotBelievedError("no ID token came with the code")
            read = await self._read(client, published, token)
        self._check(read, attempt, given.get("access_token"))
        return Proof(dict(read.claims), token)

    async def way_out(self) -> str | None:
        """Where the provider ends its own session with somebody; null if it does not offer that, or cannot be asked now."""
        try:
            async with self._client("") as client:
                found = (await self._metadata(client)).get("end_session_endpoint")
        except ProviderAwayError as error:
            _log.warning("signed out here alone: %s", error)
            return None
        return str(found) if found else None

    def roles_of(self, claims: Mapping[str, Any]) -> tuple[str, ...] | None:
        """The roles that somebody's groups give; null where groups give none to anybody."""
        if self.registration.roles_claim is None:
            return None
        found: Any = claims.get(self.registration.roles_claim)
        if found is None:
            found = claims
            for part in self.registration.roles_claim.split("."):
                found = found.get(part) if isinstance(found, Mapping) else None
        groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        given = {role for group in groups for role in self.registration.roles.get(str(group), ())}
        return tuple(sorted(given))

    def _check(self, read: jwt.Token, attempt: Attempt, access_token: Any) -> None:
        registration = self.registration
        claims = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "value": registration.issuer},
                "aud": {"essential": True, "value": registration.client_id},
                "nonce": {"essential": True, "value": attempt.nonce},
            },
            {"nonce": attempt.nonce, "client_id": registration.client_id, "access_token": access_token},
        )
        try:
            claims.validate(int(present().timestamp()), _LEEWAY)
        except (JoseError, TypeError, ValueError) as error:
            raise NotBelievedError(f"the ID token: {error}") from error
        if not (read.claims["sub"] and isinstance(read.claims["sub"], str) and isinstance(read.claims["iss"], str)):
            raise NotBelievedError("the ID token names nobody")

    async def _read(self, client: AsyncOAuth2Client, published: Mapping[str, Any], token: str) -> jwt.Token:
        """The token, if one of the provider's keys signed it. It may have begun to sign with a new one a moment ago."""
        said = published.get("id_token_signing_alg_values_supported") or ["RS256"]
        registry = JWSRegistry(algorithms=[one for one in _SIGNED_BY if one in said], strict_check_header=False)
        known = self._keys
        for keys in (known, None) if known else (None,):
            self._keys = keys or await self._fetched_keys(client, published["jwks_uri"])
            try:
                return jwt.decode(token, self._keys, registry=registry)
            except (InvalidKeyIdError, MissingKeyError, BadSignatureError) as error:
                said_of_it = error
            except (JoseError, TypeError, ValueError) as error:
                raise NotBelievedError(f"the ID token cannot be read: {error}") from error
        raise NotBelievedError(f"none of the provider's keys signed it: {said_of_it}")

    async def _fetched_keys(self, client: AsyncOAuth2Client, address: str) -> KeySet:
        found = await _json(client, address)
        published = found.get("keys")
        return KeySet(list(_usable(published if isinstance(published, list) else [])))

    async def _metadata(self, client: AsyncOAuth2Client) -> Mapping[str, Any]:
        """What the provider publishes of itself; what is known stays known while it is away."""
        now, issuer = present(), self.registration.issuer
        if self._published and self._published[0] > now - _FOUND_FOR:
            return self._published[1]
        found = await _json(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise ProviderAwayError(f"it calls itself {found.get('issuer')!r}, and PERENNIAL_OIDC_ISSUER is {issuer!r}")
        for name in (*_NEEDED, *(["end_session_endpoint"] if found.get("end_session_endpoint") else [])):
            if not is_safe_address(found.get(name)):
                raise ProviderAwayError(f"its {name} is no address by https: {found.get(name)!r}")
        self._published = (now, found)
        return found

    def _says_who_by(self, published: Mapping[str, Any]) -> str:
        """How Perennial proves that it asks: in the body, where no letter of a secret is read in two ways, if that is taken."""
        if self.registration.client_secret is None:
            return "none"
        taken = published.get("token_endpoint_auth_methods_supported") or ()
        return "client_secret_post" if "client_secret_post" in taken else "client_secret_basic"

    @asynccontextmanager
    async def _client(self, back: str) -> AsyncIterator[AsyncOAuth2Client]:
        """Calls to the provider, all within one time."""
        registration = self.registration
        try:
            async with (
                asyncio.timeout(_WITHIN),
                AsyncOAuth2Client(
                    registration.client_id,
                    registration.client_secret,
                    scope=registration.scope,
                    redirect_uri=back,
                    code_challenge_method="S256",
                    verify=trusted(),
                    trust_env=False,
                    timeout=None,
                ) as client,
            ):
                yield client
        except TimeoutError:
            raise ProviderAwayError(f"no answer in {_WITHIN} s") from None
        except OAuthError as error:
            raise NotBelievedError(f"the code was not taken: {error.error}") from error
        except (OSError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise ProviderAwayError(f"{type(error).__name__}: {error}") from error


async def _json(client: AsyncOAuth2Client, address: str) -> dict[str, Any]:
    answer = await client.request("GET", address, withhold_token=True)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ProviderAwayError(f"{address} answers with something else than an object")
    return found


def _usable(published: list[Any]) -> Iterator[Key]:
    """The keys that can sign for the provider; of a kind that nobody here knows, none."""
    for one in published:
        with suppress(JoseError, TypeError, ValueError, KeyError, AttributeError):
            if one["kty"] != "oct" and one.get("use", "sig") == "sig":
                yield import_key(one)
