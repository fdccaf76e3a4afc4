-- migrate:up

-- What a version of a playbook would change, for each customer of its segment, as it was rehearsed last: no more than that is
-- brought to them. `until` is the day up to which was looked.
create table playbook_rehearsal (
    segment         text not null,
    version         integer not null,
    body            jsonb not null,
    rehearsed_at    timestamptz not null,
    until           date not null,
    primary key (segment, version)
);

create table playbook_trial (
    segment         text not null,
    version         integer not null,
    account_id      text not null references account,
    changes         integer not null,
    primary key (segment, version, account_id),
    foreign key (segment, version) references playbook_rehearsal on delete cascade
);

-- migrate:down

drop table playbook_trial;
drop table playbook_rehearsal;
