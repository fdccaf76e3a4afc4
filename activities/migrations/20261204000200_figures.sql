-- migrate:up

-- What figures of operation are counted by, so that a look at them reads only what they are about.

create index contract_term_accepted on contract_term (recorded_at) where origin = 'accepted';

-- What comparing agendas with the facts found, each time that it was done.

create table reconciliation (
    reconciliation_id   bigint generated always as identity primary key,
    at                  timestamptz not null,
    customers           integer not null,
    differences         integer not null,
    standing            integer not null,
    by_kind             jsonb not null
);

-- migrate:down

drop table reconciliation;
drop index contract_term_accepted;
