-- migrate:up

-- What the portfolio is counted by. A period carries its slice, so that all of them are summed without a join; whoever
-- writes periods writes it, and the doctor compares it with the assets.

create table portfolio_slice (
    slice_id        integer generated always as identity primary key,
    product_code    text not null references product,
    segment         text not null,
    currency        text not null,
    unique (product_code, segment, currency)
);

insert into portfolio_slice (product_code, segment, currency)
select distinct a.product_code, c.segment, a.currency from asset a join account c using (account_id) order by 1, 2, 3;

-- `total` is what the asset comes to from its first day to the end of the period: null once an amount is open.
alter table asset_state_period add column slice_id integer, add column total numeric;

update asset_state_period p set slice_id = s.slice_id
from asset a join account c using (account_id) join portfolio_slice s using (product_code, segment, currency)
where a.asset_id = p.asset_id;

update asset_state_period p set total = t.total
from (
    select asset_id, starts_at,
           case when bool_and(amount is not null) over w then sum(amount) over w end as total
    from asset_state_period
    window w as (partition by asset_id order by starts_at)
) t
where (t.asset_id, t.starts_at) = (p.asset_id, p.starts_at);

alter table asset_state_period alter column slice_id set not null;

-- What an account holds at an instant or will hold, without a look at what has ended.
create index asset_alive_of_account on asset (account_id, (coalesce(lifecycle_end, 'infinity')), asset_id);
drop index asset_of_account;

-- Assets that an import has written, with the contract that each brought along, until the journey looks after them.

create table imported_asset (
    asset_id        text primary key references asset,
    account_id      text not null references account,
    contract_id     text references contract,
    recorded_at     timestamptz not null,
    taken_up        boolean not null default false
);
create index imported_asset_not_taken_up on imported_asset (account_id) where not taken_up;

-- migrate:down

drop table imported_asset;
create index asset_of_account on asset (account_id);
drop index asset_alive_of_account;
alter table asset_state_period drop column slice_id, drop column total;
drop table portfolio_slice;
