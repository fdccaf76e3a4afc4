"""The connection to Temporal, as services, workers and the command line make it: one address, one plugin."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import TLSConfig

from domain.kernel.refusals import MendableError
from gateway import observed
from gateway.here import NoServerError, find_running
from gateway.plugin import own_plugin

USUAL_TEMPORAL = "localhost:7233"

_CA = "TEMPORAL_TLS_SERVER_CA_CERT_PATH"
_OWN = "TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH"


class ConnectionSettingsError(MendableError, ValueError):
    """What `TEMPORAL_*` or its file says cannot be used; the message says what to write."""


async def connect(address: str | None = None, **options: Any) -> Client:
    """A client for the server that `TEMPORAL_*` and its profiles name, else the one that runs in this folder, or for `address`.

    Raises NoServerError if nobody answers there, or not to us; ConnectionSettingsError for settings that cannot be used.
    """
    config = settings_of_environment()
    if address is not None:
        config["target_host"] = address
    if "target_host" not in config:
        here = find_running()
        # A stack of this folder has one namespace and speaks in the clear: no key of others is for it.
        config = {"target_host": here.temporal_address} if here else {**config, "target_host": USUAL_TEMPORAL}
    try:
        return await Client.connect(**{**config, "plugins": [own_plugin()], **observed.options(), **options})
    except RuntimeError as error:
        raise NoServerError(_in_words(str(error), config)) from error
    except ValueError as error:
        if "invalid target URL" not in str(error):
            raise
        raise ConnectionSettingsError(f"TEMPORAL_ADDRESS is {config['target_host']!r}; give host:port") from error


async def connect_to_own(address: str, **options: Any) -> Client:
    """A client for a server that this process has started for itself, whatever `TEMPORAL_*` says of others: no namespace, key
    or certificate of theirs."""
    return await Client.connect(address, plugins=[own_plugin()], **options)


def settings_of_environment() -> dict[str, Any]:
    """How `TEMPORAL_*` and its profile say to connect, as `Client.connect` takes it. Raises ConnectionSettingsError."""
    named = os.environ.get("TEMPORAL_CONFIG_FILE")
    if named and not Path(named).is_file():
        raise ConnectionSettingsError(f"TEMPORAL_CONFIG_FILE names {named}, and there is no such file")
    try:
        config: dict[str, Any] = {**ClientConfig.load_client_connect_config()}
    except OSError as error:
        raise ConnectionSettingsError(
            f"a file of TEMPORAL_TLS_* or of the profile cannot be read: {error.filename}: {error.strerror}"
        ) from error
    except Exception as error:  # of the library's own kind, which it does not export
        raise ConnectionSettingsError(f"Temporal's settings cannot be used: {str(error).strip()}") from error
    tls = config.get("tls")
    if isinstance(tls, TLSConfig) and (tls.client_cert is None) != (tls.client_private_key is None):
        raise ConnectionSettingsError(f"give {_OWN} together, or none of them")
    return config


def names_a_server() -> bool:
    """Whether `TEMPORAL_*` or its profile names a server."""
    return "target_host" in settings_of_environment()


def _in_words(said: str, config: dict[str, Any]) -> str:
    """Why there is no connection, and what to do. The library tells kinds of errors apart by its words alone."""
    where, tls = config["target_host"], config.get("tls") or False
    shown = tls.client_cert is not None if isinstance(tls, TLSConfig) else False
    space = config.get("namespace", "default")
    ended = ("error after connection" in said and "tonic::transport::Error" in said) or "CertificateRequired" in said
    if "InvalidCertificate(NotValidForName" in said:
        return f"the certificate of the Temporal server at {where} is for another name; set TEMPORAL_TLS_SERVER_NAME to the name it is for"
    if "InvalidCertificate(Expired" in said:
        return f"the certificate of the Temporal server at {where} has expired; whoever runs the server renews it"
    if "InvalidCertificate" in said:
        return f"the certificate of the Temporal server at {where} is of no authority known here; set {_CA} to the authority's certificate"
    if "PrivateKeyParseError" in said or "CertificateParseError" in said:
        return f"the client certificate or its key cannot be read; {_OWN} name PEM files"
    if "InvalidMessage" in said:
        return f"the server at {where} does not speak TLS; leave out TEMPORAL_API_KEY and TEMPORAL_TLS_*, or set TEMPORAL_ADDRESS to where it does"
    if "Unauthenticated" in said or "PermissionDenied" in said:
        return (
            f"the Temporal server at {where} does not take the key; set TEMPORAL_API_KEY to one that may use {space!r}"
        )
    if ended and tls and shown:
        return f"the Temporal server at {where} does not take the client certificate; {_OWN} name one that its authority has signed"
    if ended and tls:
        return f"the Temporal server at {where} ended the connection, as one does that asks for a client certificate; set {_OWN}"
    if ended:
        return f"the server at {where} ended the connection, as one does that speaks TLS alone; set TEMPORAL_TLS=true, or TEMPORAL_API_KEY"
    return f"no Temporal server at {where}; start `perennial up` in this folder, or set TEMPORAL_ADDRESS"
