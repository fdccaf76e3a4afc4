-- migrate:up

-- A task that was over and is open again counts from then.

alter table staff_task add column reopened_at timestamptz;

-- Our people where they are: whose zone and country are not on record keeps the hours of most of their customers. Nobody hands
-- anything over to whom has left.

alter table staff add column time_zone text;
alter table staff add column country text;
alter table staff add column left_at timestamptz;

-- The weeks that somebody was told of, or had nothing in: each once. `scope` is the account whose time it was in a rehearsal, empty in the
-- real one.

create table staff_week (
    staff_id        text not null references staff,
    monday          date not null,
    scope           text not null default '',
    at              timestamptz not null,
    delivery_id     text,
    primary key (staff_id, monday, scope)
);

-- migrate:down

drop table staff_week;
alter table staff drop column left_at;
alter table staff drop column country;
alter table staff drop column time_zone;
alter table staff_task drop column reopened_at;
