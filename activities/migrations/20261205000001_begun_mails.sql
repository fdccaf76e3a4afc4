-- migrate:up

-- When the latest try began that came as far as handing a mail over, unless it is known that nothing was taken.

alter table outbox add column begun_at timestamptz;

-- migrate:down

alter table outbox drop column begun_at;
