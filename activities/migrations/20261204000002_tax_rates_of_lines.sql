-- migrate:up

-- What tax_rates_for says of one line, for many lines of a customer at once: their orders are ranked once, not anew for each line.

create function tax_rates_of_lines(customer text, products text[], contracts text[], but text default null)
returns table (n bigint, rates numeric[]) language sql stable as $$
    with line as materialized (
        select l.product_code, coalesce(l.contract_id, '') as contract, l.tax_rates,
               row_number() over (order by o.activated_at desc, o.recorded_at desc, o.order_id desc, l.line_id) as rank
        from order_line l join sales_order o using (order_id)
        where o.account_id = customer and o.order_id is distinct from but
    ), best as (
        select w.n, coalesce(both_match.rank, of_product.rank, of_contract.rank, (select min(line.rank) from line)) as rank
        from unnest(products, contracts) with ordinality w(product, contract, n)
        left join (select line.product_code, line.contract, min(line.rank) as rank from line group by line.product_code, line.contract) both_match
            on both_match.product_code = w.product and both_match.contract = coalesce(w.contract, '')
        left join (select line.product_code, min(line.rank) as rank from line group by line.product_code) of_product
            on of_product.product_code = w.product
        left join (select line.contract, min(line.rank) as rank from line group by line.contract) of_contract
            on of_contract.contract = coalesce(w.contract, '')
    )
    select best.n, line.tax_rates from best left join line on line.rank = best.rank
$$;

-- migrate:down

drop function tax_rates_of_lines(text, text[], text[], text);
