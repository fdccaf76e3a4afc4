-- migrate:up

-- How the use of a line is charged beside what the line itself costs, up to where it is, and what of a day was.
alter table order_line add column usage jsonb;
alter table asset add column use_terms jsonb, add column use_charged_until date;
alter table usage_day add column units bigint check (units >= 0), add column charged_units bigint not null default 0;
alter table invoice_line add column usage jsonb;

-- Each month of an asset's use that was charged, also where it came to nothing.
create table use_charge (
    asset_id    text not null references asset,
    start       date not null,
    until       date not null,
    used        bigint not null,
    granted     bigint not null,
    prepaid     bigint not null,
    over        bigint not null,
    priced      jsonb not null,
    amount      numeric not null check (amount >= 0),
    carried     boolean not null,
    charged_at  timestamptz not null,
    primary key (asset_id, start)
);

-- migrate:down

drop table use_charge;
alter table invoice_line drop column usage;
alter table usage_day drop column units, drop column charged_units;
alter table asset drop column use_terms, drop column use_charged_until;
alter table order_line drop column usage;
