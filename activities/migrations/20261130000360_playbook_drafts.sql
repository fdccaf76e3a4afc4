-- migrate:up

-- What somebody writes in the console before it is a version: kept as it was typed, faults included.
create table playbook_draft (
    segment         text primary key,
    text            text not null,
    saved_at        timestamptz not null,
    saved_by        text not null
);

-- migrate:down

drop table playbook_draft;
