"""What is asked of renewals beside a yes and a no: other terms and their approval, why somebody goes, what is expected."""

from __future__ import annotations

from typing import Any

from tests.driver.life import Life, Party
from tests.driver.making import Made, Makers

MAKERS = Makers[Made]()
_OPEN = (
    "select contract_id from contract c where account_id = $1 and status in ('active', 'grace') and not exists"
    " (select from contract_term t where t.contract_id = c.contract_id and t.number > 1 and t.starts_at > $2)"
    " and exists (select from asset a join asset_state_period p using (asset_id)"
    " where a.contract_id = c.contract_id and p.quantity > 0 and p.ends_at > $2) order by contract_id"
)


async def _open(life: Life, party: Party) -> str | None:
    """A contract whose renewal can be talked about."""
    rows = await life.world.pool.fetch(_OPEN, party.account_id, await life.now(party))
    return life.random.choice([row["contract_id"] for row in rows]) if rows else None


@MAKERS.of("revise_renewal")
async def revise(life: Life, party: Party) -> Made:
    contract_id = await _open(life, party)
    if contract_id is None:
        return None
    assets = await life.world.pool.fetch(
        "select asset_id from asset where contract_id = $1 and price_per <> 'once' order by asset_id", contract_id
    )
    chosen = life.random.choice([row["asset_id"] for row in assets]) if assets else "none"
    wishes: list[dict[str, Any]] = [
        {"assets": [{"asset_id": chosen, "quantity": life.random.choice([0, 1, 7, 30])}]},
        {"months": life.random.choice([12, 24, 7])},
        {"discount_percent": life.random.choice(["3", "12.5", "40"]), "role": "sales", "by": "S-1"},
    ]
    found: dict[str, Any] = {"contract_id": contract_id, "by": "customer"}
    for wish in life.random.sample(wishes, life.random.randint(1, 2)):
        found |= wish
    return found


@MAKERS.of("approve_renewal")
async def approve(life: Life, party: Party) -> Made:
    sql = (
        "select v.contract_id, v.role from renewal_version v join contract c using (contract_id)"
        " where c.account_id = $1 and v.state = 'waiting' order by v.contract_id, v.version desc"
    )
    row = await life.one(sql, party.account_id)
    if row is None:
        return None
    decision = life.random.choice([{"decision": "approve"}, {"decision": "reject", "reason": "too much"}])
    return {"contract_id": row["contract_id"], "role": row["role"], "by": "S-9", **decision}


@MAKERS.of("note_churn_reason")
async def why(life: Life, party: Party) -> Made:
    sql = "select contract_id from contract where account_id = $1 and status in ('declined', 'ended') order by contract_id"
    row = await life.one(sql, party.account_id)
    reason = life.random.choice(["price", "service", "business_closed", "other"])
    return {"contract_id": row["contract_id"], "reason": reason, "by": "S-1"} if row else None


@MAKERS.of("set_renewal_category")
async def expected(life: Life, party: Party) -> Made:
    contract_id = await _open(life, party)
    category = life.random.choice(["commit", "best_case", "at_risk"])
    return (
        {"contract_id": contract_id, "category": category, "reason": "they said so", "by": "S-1"}
        if contract_id
        else None
    )
