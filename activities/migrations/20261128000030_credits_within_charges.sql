-- migrate:up

-- What was done under a key, with the accounts of these ids held from before it is looked for until the transaction ends.
-- Each statement of a function sees what was committed before it began: whoever waited for an account sees what was done.

create function effect_holding(wanted text, accounts text[]) returns table (run text, outcome jsonb, asked text)
language plpgsql volatile as $$
begin
    perform 1 from account a where a.account_id = any(accounts) order by a.account_id for no key update;
    return query select e.run, e.outcome, e.asked from effect e where e.key = wanted;
end
$$;

-- No charge is credited by more than it was: of an asset by lot and billing period, of a purchase by order line. Whoever
-- credits holds the account, so two who credit at once see each other. A purchase from before invoices were kept here
-- counts at its price, which was rounded by at most half a unit of its currency.

create function credit_within_charge() returns trigger language plpgsql as $$
declare
    over record;
begin
    perform 1 from account a
    where a.account_id in (select m.account_id from credited c join credit_memo m using (credit_memo_id))
    order by a.account_id for no key update;
    select x.asset_id, x.order_id, x.line_id, x.charged, x.credited into over from (
        select k.asset_id, null as order_id, null as line_id,
            coalesce((select sum(i.amount) from invoice_line i
                      where i.asset_id = k.asset_id and i.lot = k.lot and i.period = k.period), 0)
            + coalesce((select sum(b.amount) from billed_elsewhere b
                        where b.asset_id = k.asset_id and b.lot = k.lot and b.period = k.period), 0) as charged,
            (select sum(m.amount) from credit_memo_line m
             where m.asset_id = k.asset_id and m.lot = k.lot and m.period = k.period) as credited
        from (select distinct asset_id, lot, period from credited where lot is not null and amount > 0) k
        union all
        select null, k.order_id, k.line_id,
            coalesce((select sum(i.amount) from invoice_line i
                      where i.order_id = k.order_id and i.line_id = k.line_id and i.lot is null),
                     (select l.quantity * l.unit_price + 0.5 from order_line l
                      where l.order_id = k.order_id and l.line_id = k.line_id)),
            (select sum(m.amount) from credit_memo_line m
             where m.order_id = k.order_id and m.line_id = k.line_id and m.lot is null)
        from (select distinct order_id, line_id from credited where lot is null and amount > 0) k) x
    where x.credited > x.charged limit 1;
    if found then
        raise exception 'credits of % would come to %, its charge to %',
            coalesce('asset ' || over.asset_id, 'line ' || over.line_id || ' of order ' || over.order_id),
            over.credited, over.charged
            using errcode = 'check_violation', constraint = 'credit_within_charge', table = 'credit_memo_line';
    end if;
    return null;
end
$$;
create trigger credit_memo_line_within_charge after insert on credit_memo_line
    referencing new table as credited for each statement execute function credit_within_charge();

-- migrate:down

drop trigger credit_memo_line_within_charge on credit_memo_line;
drop function credit_within_charge;
drop function effect_holding;
