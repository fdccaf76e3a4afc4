"""The ledger's invariants, asked of the database itself: every asset in a handful of passes."""

from __future__ import annotations

from dataclasses import dataclass

from activities.kernel.pool import Connection

_OURS = "($1::text is null or {0}.asset_id = $1)"

# Each query gives asset_id and problem; `$1` narrows it to one asset.
_CHECKS = (
    # The timeline: every period follows the one before, the first and the last meet the ends of the asset's life, and
    # each carries what the asset comes to up to its end.
    """
    select a.asset_id, case
        when t.starts_at is null then 'the asset has no period'
        when not t.joins then 'a period does not begin where the one before ends'
        when not t.adds_up then 'the total of a period is not the sum of the amounts so far'
        when t.starts_at <> a.lifecycle_start then format('the first period starts at %s, the lifecycle at %s',
            t.starts_at, a.lifecycle_start)
        else format('the last period ends at %s, the lifecycle at %s', coalesce(t.ends_at::text, 'no time'),
            coalesce(a.lifecycle_end::text, 'no time')) end as problem
    from asset a left join (
        select asset_id, min(starts_at) as starts_at, nullif(max(coalesce(ends_at, 'infinity')), 'infinity') as ends_at,
               bool_and(before is null or before = starts_at) as joins, bool_and(total is not distinct from so_far) as adds_up
        from (
            select asset_id, starts_at, ends_at, total, lag(coalesce(ends_at, 'infinity')) over w as before,
                   case when count(*) over w = count(amount) over w then sum(amount) over w end as so_far
            from asset_state_period p where {periods}
            window w as (partition by asset_id order by starts_at)) p
        group by asset_id) t using (asset_id)
    where {assets} and (t.starts_at is null and a.lifecycle_start is distinct from a.lifecycle_end
        or t.starts_at is not null and (not t.joins or not t.adds_up
            or (t.starts_at, t.ends_at) is distinct from (a.lifecycle_start, a.lifecycle_end)))
    """,
    # The lots: what the actions' rows hold at the start of a period is what the period says.
    """
    select asset_id, case
        when least < 0 then format('a lot holds %s units at %s', least, starts_at)
        when held <> quantity then format('the lots hold %s units at %s, the period %s', held, starts_at, quantity)
        else format('the lots cost %s a month at %s, the period %s', cost, starts_at, mrr) end as problem
    from (
        select asset_id, starts_at, quantity, mrr, selling_model, coalesce(sum(units), 0) as held, coalesce(min(units), 0) as least,
               coalesce(sum(units * unit_price), 0) as cost
        from (
            select p.asset_id, p.starts_at, p.quantity, p.mrr, a.selling_model, s.lot, sum(s.quantity) as units,
                   max(s.unit_price) as unit_price
            from asset_state_period p join asset a using (asset_id)
            left join asset_action_source s on s.asset_id = p.asset_id and s.starts_at <= p.starts_at
                and (s.ends_at is null or s.ends_at > p.starts_at)
            where {periods}
            group by p.asset_id, p.starts_at, p.quantity, p.mrr, a.selling_model, s.lot) lots
        group by asset_id, starts_at, quantity, mrr, selling_model) held
    where least < 0 or held <> quantity or (mrr <> cost and selling_model <> 'one_time')
    """,
    # The actions: numbered one by one, their parts add up, and all of them come to what the periods come to.
    """
    select a.asset_id, case
        when c.actions is distinct from c.latest then 'actions are not numbered one by one'
        when c.apart then 'the parts of an action do not add up to its amount'
        else format('the actions come to %s, the periods to %s', c.amount, p.amount) end as problem
    from asset a
    left join (
        select asset_id, count(*) as actions, max(sequence) as latest, coalesce(bool_or(
                   product_amount_change + adjustment_amount_change <> amount_change), false) as apart,
               case when bool_and(amount_change is not null) then sum(amount_change) end as amount
        from asset_action c where {actions} group by asset_id) c using (asset_id)
    left join (
        select asset_id, case when bool_and(amount is not null) then sum(amount) end as amount
        from asset_state_period p where {periods} group by asset_id) p using (asset_id)
    where {assets} and (c.actions is null or c.actions <> c.latest or c.apart or c.amount <> coalesce(p.amount, c.amount))
    """,
    # The portfolio: a period is counted in the slice of its asset.
    """
    with kind as materialized (
        select a.asset_id, s.slice_id from asset a join account c using (account_id)
        left join portfolio_slice s using (product_code, segment, currency) where {assets})
    select p.asset_id, 'a period is counted in another slice of the portfolio' as problem
    from asset_state_period p join kind k using (asset_id) where p.slice_id is distinct from k.slice_id
    """,
)
# Apart from its limit, so that each is planned as the one pass over everything that it mostly is.
_QUERIES = [
    f"with found as materialized ({check}) select * from found limit $2".format(
        assets=_OURS.format("a"), periods=_OURS.format("p"), actions=_OURS.format("c")
    )
    for check in _CHECKS
]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about an asset that does not hold."""

    asset_id: str
    problem: str


async def audit(connection: Connection, asset_id: str | None = None, *, most: int = 20) -> list[Finding]:
    """What breaks an invariant of the ledger, of one asset or of all, at most `most` findings of each kind."""
    return [
        Finding(row["asset_id"], row["problem"])
        for query in _QUERIES
        for row in await connection.fetch(query, asset_id, most, timeout=300)
    ]


async def ledger_size(connection: Connection) -> tuple[int, int]:
    """How many assets and how many periods there are."""
    row = await connection.fetchrow(
        "select (select count(*) from asset) as assets, (select count(*) from asset_state_period) as periods"
    )
    return (row["assets"], row["periods"]) if row else (0, 0)
