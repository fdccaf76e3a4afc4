-- migrate:up

-- Mails and notices of which the engine's histories say that they were sent, although the database has lost it: they are
-- booked as sent, and not sent again.

create table sent_before (
    delivery_id     text primary key,
    account_id      text not null,
    sent_at         timestamptz not null
);

-- migrate:down

drop table sent_before;
