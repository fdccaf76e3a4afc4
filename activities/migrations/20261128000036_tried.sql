-- migrate:up

-- How often a message was tried before it was said that it is late: whoever asks counts on from there.

alter table outbox add column tried integer not null default 0;

-- migrate:down

alter table outbox drop column tried;
