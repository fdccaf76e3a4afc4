-- migrate:up

-- Versions of the quote for the next term of a contract: what of it is otherwise than the present term once more.

create table renewal_version (
    contract_id         text not null references contract,
    term                integer not null,
    version             integer not null check (version > 1),
    state               text not null check (state in ('waiting', 'offered', 'rejected')),
    months              integer check (months > 0),
    quantities          jsonb not null default '{}',
    discount_percent    numeric not null default 0 check (discount_percent between 0 and 100),
    uplift_percent      numeric,
    role                text,
    asked_by            text not null,
    reason              text not null default '',
    asked_at            timestamptz not null,
    decided_by          text,
    decided_reason      text,
    decided_at          timestamptz,
    primary key (contract_id, term, version)
);

-- migrate:down

drop table renewal_version;
