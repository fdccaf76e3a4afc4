-- migrate:up

-- Mail that came in. It is stored as it was received before anything else looks at it; `status` says what became of it.
-- `inbox_id` is made of its Message-ID and a digest of its content, so the same mail stands once. `recipients` and
-- `return_path` are those of its envelope, as far as they are known.

create table inbox_message (
    inbox_id        text primary key,
    raw             bytea not null,
    recipients      text[] not null default '{}',
    return_path     text,
    received_at     timestamptz not null,
    status          text not null default 'new'
                        check (status in ('new', 'matched', 'unknown', 'automatic', 'failed', 'discarded')),
    reason          text not null default '',
    attempts        integer not null default 0,
    try_at          timestamptz not null,
    settled_at      timestamptz,
    settled_by      text,
    message_id      text,
    sender          text not null default '',
    sender_name     text not null default '',
    subject         text not null default '',
    attachments     jsonb not null default '[]',
    account_id      text,
    contact_id      text,
    case_id         text
);
create index inbox_message_new on inbox_message (try_at) where status = 'new';
create index inbox_message_received on inbox_message (status, received_at);
create index inbox_message_of_sender on inbox_message (sender, received_at) where status = 'matched';
create index inbox_message_of_account on inbox_message (account_id, received_at) where account_id is not null;
create index inbox_message_of_case on inbox_message (case_id, received_at) where case_id is not null;

-- Who writes or calls: by exact address, by the domain of the address, by number, by part of a name. `phone` is as it was
-- given, `phone_number` as it is dialled from anywhere: "+" with digits. `unsubscribed_at`: no optional mails since then.

alter table contact add column phone text, add column phone_number text, add column unsubscribed_at timestamptz;

create index contact_by_email on contact (lower(email));
create index contact_by_domain on contact (lower(split_part(email, '@', 2)));
create index contact_by_phone on contact (phone_number) where phone_number is not null;
create index contact_by_last_digits on contact (reverse(phone_number) text_pattern_ops) where phone_number is not null;

create extension if not exists pg_trgm;
create index account_by_name on account using gin (lower(name) gin_trgm_ops);
create index contact_by_name on contact using gin (lower(name) gin_trgm_ops);

-- Mail servers write addresses in small letters, case ids within them too.
create index service_case_by_box on service_case (lower(case_id));

-- The mail that an answer answers.
create index outbox_by_message_id on outbox (message_id) where message_id is not null;

-- migrate:down

drop index outbox_by_message_id, service_case_by_box, contact_by_name, account_by_name;
drop extension pg_trgm;
drop index contact_by_last_digits, contact_by_phone, contact_by_domain, contact_by_email;
alter table contact drop column phone, drop column phone_number, drop column unsubscribed_at;
drop table inbox_message;
