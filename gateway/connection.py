"""The connection to Temporal, as services, workers and the command line make it: one address, one data converter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import PydanticPayloadConverter, ToJsonOptions, pydantic_data_converter
from temporalio.envconfig import ClientConfig


class CompactPayloadConverter(PydanticPayloadConverter):
    """JSON without the fields that nobody set: histories of years stay small."""

    def __init__(self) -> None:
        super().__init__(ToJsonOptions(exclude_unset=True))


DATA_CONVERTER = replace(pydantic_data_converter, payload_converter_class=CompactPayloadConverter)


async def connect(address: str | None = None, **options: Any) -> Client:
    """A client for the server that `TEMPORAL_*` and its profiles name, or for `address`."""
    config: dict[str, Any] = {**ClientConfig.load_client_connect_config()}
    if address is not None:
        config["target_host"] = address
    config.setdefault("target_host", "localhost:7233")
    return await Client.connect(**{**config, "data_converter": DATA_CONVERTER, **options})
