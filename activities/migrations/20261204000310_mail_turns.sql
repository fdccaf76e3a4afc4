-- migrate:up

-- When the next mail may really leave, and the turns of those that wait for theirs: each was told one, and comes again for it.
-- A mail is known here by the hash of its id, so that the row names nobody, and nothing refers to its row, which may be locked by its sender.

alter table mail_pace add column next_at timestamptz not null default '-infinity';
create table mail_turn (
    mail    uuid primary key,
    turn    timestamptz not null
);

-- migrate:down

drop table mail_turn;
alter table mail_pace drop column next_at;
