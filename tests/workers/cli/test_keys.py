"""`perennial keys …`: the next key signs, older ones verify until they are retired, and the one that signs stays."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from activities.kernel.clock import present
from activities.mail.keys import load_keys, load_signing
from domain.mail.signing import AddressPurpose, opened, token_of
from tests.conftest import Servers
from tests.own_database import own_database
from tests.workers.cli.running import Ended, perennial


async def test_keys_are_rotated_and_retired(servers: Servers, tmp_path: Path) -> None:
    async with own_database(servers.stack, "keys_rotated") as own, own.pool.acquire() as connection:

        async def asked(*arguments: str, later: int = 0) -> Ended:
            now = {"PERENNIAL_NOW": (present() + timedelta(minutes=later)).isoformat()}
            return await perennial("keys", *arguments, dsn=own.dsn, folder=tmp_path, width=200, environment=now)

        async def listed() -> dict[int, Any]:
            rows = json.loads((await asked("list", "--json")).out)
            return {row["number"]: (row["signs"], row["retired_at"] is not None) for row in rows}

        _, first = await load_signing(connection)
        token = token_of("journey:acme/welcome#0", AddressPurpose.REPLY, first)
        alone = await asked("retire", str(first.number))
        assert (alone.code, f"key {first.number} signs" in alone.err) == (1, True)
        rotated = await asked("rotate")
        _, second = await load_signing(connection)
        assert rotated.code == 0
        assert f"Key {second.number} signs" in " ".join(rotated.out.split())
        assert await listed() == {first.number: (False, False), second.number: (True, False)}
        assert opened(token, AddressPurpose.REPLY, await load_keys(connection)) is not None
        assert (await asked("retire", str(first.number))).code == 1  # some workers may still sign with it
        assert (await asked("retire", str(first.number), later=2)).code == 0
        assert opened(token, AddressPurpose.REPLY, await load_keys(connection)) is None
        assert await listed() == {first.number: (False, True), second.number: (True, False)}
        table = (await asked("list")).out
        assert "with the schema" in table
        assert first.secret.hex() not in table
        for wrong in (first.number, second.number, 77):
            assert (await asked("retire", str(wrong), later=4)).code == 1
