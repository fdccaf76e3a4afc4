-- migrate:up

-- What was decided at an hour at which nobody is written to waits until then, held.

alter table outbox add column leaves_at timestamptz;

-- migrate:down

alter table outbox drop column leaves_at;
