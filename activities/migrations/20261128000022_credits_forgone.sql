-- migrate:up

-- What a charge would have been credited by, had other credits left anything of it: no document, but not asked for again.
create table credit_forgone (
    asset_id        text not null references asset,
    lot             integer not null,
    period          date not null,
    amount          numeric not null check (amount > 0),
    recorded_at     timestamptz not null
);
create index credit_forgone_of_asset on credit_forgone (asset_id);

-- migrate:down

drop table credit_forgone;
