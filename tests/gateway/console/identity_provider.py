"""A small OpenID Connect provider on loopback, with keys of its own: it asks nobody for a password, and can be told to cheat."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from activities.kernel.clock import present
from gateway.console.identity import Registration
from gateway.serving import served

CLIENT, SECRET = "perennial", "s3cret+of%20the:client"
Cheat = Callable[[dict[str, Any]], None]


def new_key(alg: str) -> Key:
    """A key that signs by one algorithm, under an id of its own."""
    parameters: Any = {"kid": secrets.token_hex(4), "use": "sig", "alg": alg}
    return ECKey.generate_key("P-256", parameters) if alg == "ES256" else RSAKey.generate_key(2048, parameters)


@dataclass
class IdentityProvider:
    """What it says and does. who: the claims of whoever sits at the browser; cheat: changes those of a token before it is signed;
    signs: with another key than it publishes; down: its token endpoint answers with an error."""

    issuer: str = ""
    who: dict[str, Any] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=lambda: [new_key("RS256")])
    cheat: Cheat = lambda claims: None
    signs: Key | None = None
    alg: str = ""
    published: dict[str, Any] = field(default_factory=dict)
    down: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    keys_asked: int = 0

    def registration(self, **more: Any) -> Registration:
        """How Perennial is registered here."""
        return Registration(self.issuer, CLIENT, SECRET, **more)

    def rotate(self, alg: str) -> None:
        """From now on it signs with a new key, and publishes no other."""
        self.keys = [new_key(alg)]

    def app(self) -> FastAPI:
        app = FastAPI()
        app.get("/.well-known/openid-configuration")(self._metadata)
        app.get("/authorize")(self._authorize)
        app.post("/token")(self._token)
        app.get("/jwks")(self._jwks)
        return app

    async def _metadata(self) -> JSONResponse:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "end_session_endpoint": f"{self.issuer}/logout",
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "authorization_response_iss_parameter_supported": True,
                **self.published,
            }
        )

    async def _jwks(self) -> JSONResponse:
        self.keys_asked += 1
        published = KeySet(self.keys).as_dict(private=False)
        return JSONResponse({"keys": [*published["keys"], {"kty": "of-another-world", "kid": "?"}]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["redirect_uri"].endswith("/sign-in/back")
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def _token(self, request: Request) -> Response:
        if self.down:
            return Response("<h1>Bad gateway</h1>", 502)
        form = {key: str(value) for key, value in (await request.form()).items()}
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": self._signed(asked["nonce"])})

    def _signed(self, nonce: str) -> str:
        now = int(present().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.who}
        self.cheat(claims)
        key = self.signs or self.keys[0]
        alg = self.alg or str(key.get("alg"))
        if alg == "none":
            head, body, _ = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("k" * 32)).split(".")
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
            return f"{head}.{body}."
        return jwt.encode({"alg": alg, "kid": self.keys[0].kid}, claims, key)


@asynccontextmanager
async def providing() -> AsyncIterator[IdentityProvider]:
    """A provider that answers until the end of the block."""
    provider = IdentityProvider()
    async with served(provider.app(), "127.0.0.1", 0) as port:
        provider.issuer = f"http://127.0.0.1:{port}"
        yield provider
