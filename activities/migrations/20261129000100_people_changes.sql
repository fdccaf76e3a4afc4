-- migrate:up

-- Who looks after a customer, their segment, contacts who came and sponsors who are gone: each change with its day, so that what
-- follows on it follows once, and not on what was taken back.

create table people_change (
    number     bigint generated always as identity primary key,
    account_id text not null references account,
    what       text not null check (what in ('owner', 'success_manager', 'segment', 'contact', 'sponsor')),
    about      text not null default '',
    before     text,
    after      text,
    at         timestamptz not null
);
create index people_change_of_account on people_change (account_id, at);

-- migrate:down

drop table people_change;
