-- migrate:up

-- Which optional mails somebody gets, and how often: it belongs to the address, whoever has it. No row: all of them, as often as usual.
create table mail_wish (
    account_id  text not null references account,
    email       text not null check (email = lower(email)),
    declined    text[] not null,
    every_days  integer check (every_days between 4 and 90),
    chosen_at   timestamptz not null,
    primary key (account_id, email)
);

-- migrate:down

drop table mail_wish;
