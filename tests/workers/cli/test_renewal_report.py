"""`perennial report renewals`: by category, with what a person expects, and how long a wish takes until it is a renewed asset."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Servers
from tests.workers.cli.running import perennial
from tests.workflows.contracts.test_other_terms import before_the_end


async def test_what_falls_due_and_how_fast_wishes_are_renewed(servers: Servers, tmp_path: Path) -> None:
    account, contract_id = await before_the_end(servers, 40)
    expected = {"contract_id": contract_id, "category": "best_case", "reason": "the CFO has to agree", "by": "S-1"}
    await servers.client.ask(account, "set_renewal_category", expected)
    at = await servers.client.now(account)
    asked = ("report", "renewals", "--from", str(at.date()), "--within", "60")
    dsn = servers.settings.database_url.get_secret_value()
    found = json.loads((await perennial(*asked, "--json", dsn=dsn, folder=tmp_path)).out)
    [own] = [one for one in found["renewals"] if one["contract_id"] == contract_id]
    assert (own["category"], own["why"]) == ("best_case", "S-1 says: the CFO has to agree")
    assert set(found["request_to_renewed"]["within"]) == {"an hour", "a day", "3 days", "longer"}
    assert "best case" in (await perennial(*asked, dsn=dsn, folder=tmp_path, width=160)).out
