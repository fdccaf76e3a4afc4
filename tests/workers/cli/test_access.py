"""`perennial access …`: a key is shown once and works, the next one takes over, roles follow from what people do until they are granted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.builders import order
from tests.conftest import Servers
from tests.gateway.api.callers import calling
from tests.workers.cli.running import Ended, perennial

ERP = f"erp-{os.getpid()}"


async def access(servers: Servers, folder: Path, *arguments: str) -> Ended:
    return await perennial("access", *arguments, dsn=servers.stack.postgres_dsn, folder=folder, width=200)


def _token(ended: Ended) -> str:
    assert ended.code == 0, ended.err
    return ended.out.strip().splitlines()[-1]


async def _places(servers: Servers, token: str) -> int:
    async with calling(servers, token) as http:
        return (await http.post("/orders", json=order())).status_code


async def test_keys_are_made_rotated_and_revoked(servers: Servers, tmp_path: Path) -> None:
    first = _token(await access(servers, tmp_path, "add-key", ERP, "--role", "program", "--scope", "orders:write"))
    assert await _places(servers, first) == 200
    again = await access(servers, tmp_path, "add-key", ERP, "--role", "program")
    assert again.code == 1
    assert f"perennial access rotate-key {ERP}" in " ".join(again.err.split())
    second = _token(await access(servers, tmp_path, "rotate-key", ERP, "--overlap", "1h"))
    assert [await _places(servers, token) for token in (first, second)] == [200, 200]
    rows = json.loads((await access(servers, tmp_path, "keys", "--json")).out)
    mine = [row for row in rows if row["name"] == ERP]
    assert [(row["scopes"], row["expires_at"] is None) for row in mine] == [
        (["orders:write"], True),
        (["orders:write"], False),
    ]
    assert all(secret not in json.dumps(rows) for secret in (first[-43:], second[-43:]))
    assert (await access(servers, tmp_path, "revoke-key", ERP)).code == 0
    assert [await _places(servers, token) for token in (first, second)] == [401, 401]


async def test_a_scope_that_reaches_nothing_is_told(servers: Servers, tmp_path: Path) -> None:
    wrong = await access(servers, tmp_path, "add-key", f"{ERP}-x", "--role", "program", "--scope", "ordres:write")
    assert wrong.code == 1
    assert "orders" in wrong.err


async def test_roles_follow_from_what_people_do_until_they_are_granted(servers: Servers, tmp_path: Path) -> None:
    document = order()
    ann = f"ann-{ERP}"
    document["account"]["owner"] = {"staff_id": ann, "name": "Ann Lee", "email": f"{ann}@seller.example"}
    await servers.client.place_order(document)

    async def known() -> dict[str, Any]:
        rows = json.loads((await access(servers, tmp_path, "people", "--json")).out)
        return next(row for row in rows if row["staff_id"] == ann)

    assert (await known())["roles"] == ["sales"]
    given = ("--role", "finance", "--role", "sales", "--title", "manager", "--own-only")
    granted = await access(servers, tmp_path, "grant", ann, *given)
    assert granted.code == 0, granted.err
    person = await known()
    assert (person["roles"], person["titles"], person["own_only"]) == (["finance", "sales"], ["manager"], True)
    assert (await access(servers, tmp_path, "grant", ann, "--role", "sales", "--team")).code == 0
    person = await known()
    assert (person["own_only"], person["team"]) == (True, True)
    assert (await access(servers, tmp_path, "grant", "nobody", "--role", "sales")).code == 1
    assert (await access(servers, tmp_path, "grant", ann, "--role", "program")).code == 1
