-- migrate:up

-- Usage may come before the first order of its account: it is kept, and counts as soon as the account is there. A report may
-- say more than who was active, and say it for a single feature.

alter table usage_day
    drop constraint usage_day_account_id_fkey,
    drop constraint usage_day_product_code_fkey,
    add column invited_users integer check (invited_users >= 0),
    add column activated_users integer check (activated_users >= 0),
    add column key_actions integer check (key_actions >= 0);

create table usage_feature_day (
    account_id      text not null,
    product_code    text not null,
    feature         text not null,
    day             date not null,
    active_users    integer not null check (active_users >= 0),
    key_actions     integer check (key_actions >= 0),
    primary key (account_id, product_code, feature, day)
);
create index usage_feature_by_product on usage_feature_day (product_code, day);

-- migrate:down

drop table usage_feature_day;
delete from usage_day u where not exists (select from account a where a.account_id = u.account_id)
    or not exists (select from product p where p.code = u.product_code);
alter table usage_day
    drop column invited_users,
    drop column activated_users,
    drop column key_actions,
    add foreign key (account_id) references account,
    add foreign key (product_code) references product;
