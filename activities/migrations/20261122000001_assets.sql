-- migrate:up

-- Assets and contracts that came by transfer, swap, add-on or import have no order.

alter table asset alter column order_id drop not null;
alter table asset alter column line_id drop not null;
alter table contract alter column order_id drop not null;

-- The zone by whose calendar months and days of an asset count.

alter table asset add column time_zone text not null default 'UTC';

-- A term whose dates were changed plans its steps anew, under names of their own.

alter table contract_term add column moves integer not null default 0;
alter table contract_term drop constraint contract_term_origin_check;
alter table contract_term add constraint contract_term_origin_check
    check (origin in ('sold', 'accepted', 'automatic', 'renewed', 'transferred', 'imported'));

-- Assets on their way from one account to another: what left the source, until the target has it or refuses it.

create table conveyance (
    transfer_id     text primary key,
    from_account    text not null references account,
    to_account      text not null,
    status          text not null default 'under_way' check (status in ('under_way', 'received', 'refused')),
    reason          text not null default '',
    body            jsonb not null,
    asked_at        timestamptz not null,
    settled_at      timestamptz
);
create index conveyance_from on conveyance (from_account);
create index conveyance_to on conveyance (to_account);

alter table outbox drop constraint outbox_channel_check;
alter table outbox add constraint outbox_channel_check
    check (channel in ('deliver_mail', 'deliver_notice', 'provision', 'deliver_webhook', 'convey_assets'));

-- migrate:down

alter table outbox drop constraint outbox_channel_check;
alter table outbox add constraint outbox_channel_check check (channel in ('deliver_mail', 'deliver_notice', 'provision'));
drop table conveyance;
alter table contract_term drop constraint contract_term_origin_check;
alter table contract_term add constraint contract_term_origin_check check (origin in ('sold', 'accepted', 'automatic'));
alter table contract_term drop column moves;
alter table asset drop column time_zone;
alter table contract alter column order_id set not null;
alter table asset alter column line_id set not null;
alter table asset alter column order_id set not null;
