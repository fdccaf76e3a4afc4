"""How payloads are written where no server keeps them: as they are."""

from __future__ import annotations

from temporalio.converter import DataConverter

from gateway.payloads.packing import Packing, as_it_is
from gateway.plugin import PerennialPlugin

PLAIN = PerennialPlugin(own=True, codec=Packing(as_it_is))
CONVERTER: DataConverter = PLAIN.configure_client({})["data_converter"]  # type: ignore[typeddict-item]
