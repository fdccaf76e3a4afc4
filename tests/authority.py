"""Certificates for one test: an authority, what it signs, and a server that speaks TLS before another one that does not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from activities.kernel.clock import present


@dataclass(frozen=True)
class Signed:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Who signs certificates, all in one folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = name
        self.certificate = self._written(
            f"{name}.pem", self._certificate(name, self._key.public_key(), is_authority=True)
        )

    def signs(self, name: str, host: str = "localhost") -> Signed:
        """A certificate for loopback and `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        certificate = self._certificate(name, key.public_key(), host=host)
        return Signed(
            self._written(f"{self._name}-{name}.pem", certificate), self._written(f"{self._name}-{name}.key", pem)
        )

    def _certificate(
        self, subject: str, key: ec.EllipticCurvePublicKey, *, is_authority: bool = False, host: str = ""
    ) -> bytes:
        now = present()
        made = (
            x509.CertificateBuilder()
            .subject_name(_named(subject))
            .issuer_name(_named(self._name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        )
        if not is_authority:
            names = (
                [x509.DNSName(host), x509.IPAddress(ip_address("127.0.0.1"))]
                if host == "localhost"
                else [x509.DNSName(host)]
            )
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _written(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@asynccontextmanager
async def secured(behind: str, shows: Signed, asks_for: Path | None = None) -> AsyncIterator[str]:
    """`behind`, a host and port in the clear, by TLS at the address it yields. asks_for: the authority of the clients' certificates."""
    host, _, port = behind.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shows.certificate, shows.key)
    context.set_alpn_protocols(["h2"])
    if asks_for is not None:
        context.load_verify_locations(asks_for)
        context.verify_mode = ssl.CERT_REQUIRED

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_connection(host, int(port))
        await asyncio.gather(passed_on(reader, to_them), passed_on(theirs, writer))

    server = await asyncio.start_server(taken, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
