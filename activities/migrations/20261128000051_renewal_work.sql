-- migrate:up

-- Steps of the ladder before a renewal that are tasks of our people by now, each once for a term.

create table renewal_rung (
    contract_id     text not null references contract,
    term            integer not null,
    rung            text not null,
    due_on          date not null,
    task            text not null,
    opened_at       timestamptz not null,
    primary key (contract_id, term, rung)
);

-- Why a contract was not renewed, in a word of the list, and who says so.

create table contract_churn (
    contract_id     text primary key references contract,
    reason          text not null check (reason in ('price', 'value', 'product_gap', 'service', 'sponsor_left',
        'business_closed', 'competitor', 'other')),
    said            text not null default '',
    given_by        text not null,
    at              timestamptz not null
);

-- What a person expects of a renewal, and why. Rows are only ever added: the latest counts.

create table renewal_expectation (
    number          bigint generated always as identity primary key,
    contract_id     text not null references contract,
    term            integer not null,
    category        text not null check (category in ('commit', 'probable', 'best_case', 'at_risk')),
    reason          text not null check (reason <> ''),
    expected_by     text not null,
    at              timestamptz not null
);
create index renewal_expectation_of_term on renewal_expectation (contract_id, term, number);

alter table renewal_version add column saves boolean not null default false;

-- migrate:down

alter table renewal_version drop column saves;
drop table renewal_expectation;
drop table contract_churn;
drop table renewal_rung;
