"""The connection to Temporal, as services, workers and the command line make it: one address, one plugin."""

from __future__ import annotations

from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from gateway.here import NoServerError, find_running
from gateway.plugin import own_plugin

USUAL_TEMPORAL = "localhost:7233"


async def connect(address: str | None = None, **options: Any) -> Client:
    """A client for the server that `TEMPORAL_*` and its profiles name, else the one that runs in this folder, or for `address`.

    Raises NoServerError if nobody answers there.
    """
    config: dict[str, Any] = {**ClientConfig.load_client_connect_config()}
    if address is not None:
        config["target_host"] = address
    if "target_host" not in config:
        here = find_running()
        config["target_host"] = here.temporal_address if here else USUAL_TEMPORAL
    try:
        return await Client.connect(**{**config, "plugins": [own_plugin()], **options})
    except RuntimeError as error:
        raise NoServerError(
            f"no Temporal server at {config['target_host']}; start `perennial up` in this folder, or set TEMPORAL_ADDRESS"
        ) from error


async def connect_to_own(address: str) -> Client:
    """A client for a server that this process has started for itself, whatever `TEMPORAL_*` says of others: no namespace, key
    or certificate of theirs."""
    return await Client.connect(address, plugins=[own_plugin()])
