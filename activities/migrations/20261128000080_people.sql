-- migrate:up

-- What was changed by request stays: later orders, which repeat what a shop once knew, leave it as it is.

alter table account add column set_by_request text[] not null default '{}';
alter table contact add column set_by_request boolean not null default false;

-- Contacts that were taken off an account: the wish for no optional mails outlives them.

create table gone_contact (
    account_id      text not null references account,
    contact_id      text not null,
    email           text not null,
    unsubscribed_at timestamptz,
    removed_at      timestamptz not null,
    removed_by      text not null
);
create index gone_contact_of_account on gone_contact (account_id);

-- Who changed what is known of the seller's people, as they said.

alter table staff add column changed_at timestamptz;
alter table staff add column changed_by text;

-- migrate:down

alter table staff drop column changed_by;
alter table staff drop column changed_at;
drop table gone_contact;
alter table contact drop column set_by_request;
alter table account drop column set_by_request;
