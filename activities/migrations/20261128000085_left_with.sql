-- migrate:up

-- Mails of one instant to one person leave as one: `left_with` is the mail whose message carries this one, too.

alter table outbox add column left_with text;
create index outbox_left_with on outbox (left_with) where left_with is not null;

-- migrate:down

drop index outbox_left_with;
alter table outbox drop column left_with;
