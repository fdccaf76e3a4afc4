"""The connection to Temporal, as services, workers and the command line make it: one address, one data converter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import PydanticPayloadConverter, ToJsonOptions, pydantic_data_converter
from temporalio.envconfig import ClientConfig

from gateway.here import NoServerError, find_running


class CompactPayloadConverter(PydanticPayloadConverter):
    """JSON without the fields that nobody set: histories of years stay small."""

    def __init__(self) -> None:
        super().__init__(ToJsonOptions(exclude_unset=True))


USUAL_TEMPORAL = "localhost:7233"

DATA_CONVERTER = replace(pydantic_data_converter, payload_converter_class=CompactPayloadConverter)


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
        return await Client.connect(**{**config, "data_converter": DATA_CONVERTER, **options})
    except RuntimeError as error:
        raise NoServerError(
            f"no Temporal server at {config['target_host']}; start `perennial up` in this folder, or set TEMPORAL_ADDRESS"
        ) from error


async def connect_to_own(address: str) -> Client:
    """A client for a server that this process has started for itself, whatever `TEMPORAL_*` says of others: no namespace, key
    or certificate of theirs."""
    return await Client.connect(address, data_converter=DATA_CONVERTER)
