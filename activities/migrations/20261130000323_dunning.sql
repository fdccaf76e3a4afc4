-- migrate:up

-- Reminders of overdue invoices, and the task at their end: which step of the playbook's ladder, on which local day, about which invoices.

create table dunning_reminder (
    reminder_id     bigint generated always as identity primary key,
    account_id      text not null references account,
    rung            integer not null,
    said            text not null,
    day             date not null,
    at              timestamptz not null,
    invoices        text[] not null
);
create index dunning_reminder_of_account on dunning_reminder (account_id, reminder_id);

-- migrate:down

drop table dunning_reminder;
