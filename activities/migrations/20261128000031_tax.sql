-- migrate:up

-- Invoices and credit memos by net, tax and gross: `total` is the gross, `net` what their lines add up to. Tax is counted
-- from a document's net by rate, rounded once for each rate; `*_tax` has a row for each. Documents of before have no tax:
-- they stay as they are. A line keeps the rates that it was charged by, and a credit the invoice that it takes from.

alter table asset add column tax_rates numeric[];

alter table invoice add column net numeric, add column tax numeric not null default 0;
alter table invoice_line add column tax_rates numeric[];
alter table credit_memo add column net numeric, add column tax numeric not null default 0;
alter table credit_memo_line add column tax_rates numeric[], add column invoice_id text references invoice;
update invoice set net = total;
update credit_memo set net = total;
alter table invoice alter column net set not null, add constraint invoice_gross check (total = net + tax);
alter table credit_memo alter column net set not null, add constraint credit_memo_gross check (total = net + tax);

create table invoice_tax (
    invoice_id      text not null references invoice,
    rate            numeric not null,
    net             numeric not null,
    tax             numeric not null,
    primary key (invoice_id, rate)
);

-- By the invoice that is credited; null for what was charged elsewhere.

create table credit_memo_tax (
    credit_memo_id  text not null references credit_memo,
    invoice_id      text references invoice,
    rate            numeric not null,
    net             numeric not null,
    tax             numeric not null,
    unique nulls not distinct (credit_memo_id, invoice_id, rate)
);
create index credit_memo_tax_of_invoice on credit_memo_tax (invoice_id, rate);
create index credit_memo_line_of_invoice on credit_memo_line (invoice_id) where invoice_id is not null;

-- The rates of what came without an order that says them: those of the customer's latest order line of that product, else
-- of that contract, else of any; `but` is the order that is being written.

create function tax_rates_for(customer text, product text, contract text, but text default null) returns numeric[] language sql stable as $$
    select l.tax_rates from order_line l join sales_order o using (order_id)
    where o.account_id = customer and o.order_id is distinct from but
    order by l.product_code = product desc, l.contract_id is not distinct from contract desc, o.activated_at desc,
             o.recorded_at desc, l.line_id
    limit 1
$$;

-- The rates that an asset is charged by.

create function tax_rates_of(named text) returns numeric[] language sql stable as $$
    select case when l.line_id is null then a.tax_rates else l.tax_rates end
    from asset a left join order_line l on l.order_id = a.order_id and l.line_id = a.line_id
    where a.asset_id = named
$$;

-- migrate:down

drop function tax_rates_of(text);
drop function tax_rates_for(text, text, text, text);
drop table credit_memo_tax, invoice_tax;
alter table credit_memo_line drop column invoice_id, drop column tax_rates;
alter table credit_memo drop constraint credit_memo_gross, drop column tax, drop column net;
alter table invoice_line drop column tax_rates;
alter table invoice drop constraint invoice_gross, drop column tax, drop column net;
alter table asset drop column tax_rates;
