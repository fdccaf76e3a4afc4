-- migrate:up

-- Of two orders of one instant the same one is always the latest.

create or replace function tax_rates_for(customer text, product text, contract text, but text default null) returns numeric[] language sql stable as $$
    select l.tax_rates from order_line l join sales_order o using (order_id)
    where o.account_id = customer and o.order_id is distinct from but
    order by l.product_code = product desc, l.contract_id is not distinct from contract desc, o.activated_at desc,
             o.recorded_at desc, o.order_id desc, l.line_id
    limit 1
$$;

-- migrate:down

create or replace function tax_rates_for(customer text, product text, contract text, but text default null) returns numeric[] language sql stable as $$
    select l.tax_rates from order_line l join sales_order o using (order_id)
    where o.account_id = customer and o.order_id is distinct from but
    order by l.product_code = product desc, l.contract_id is not distinct from contract desc, o.activated_at desc,
             o.recorded_at desc, l.line_id
    limit 1
$$;
