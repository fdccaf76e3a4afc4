-- migrate:up

-- Since when a mail may have left: the first try that came as far as handing it over, and did not hear that nothing was taken.

alter table outbox add column begun_at timestamptz;

-- migrate:down

alter table outbox drop column begun_at;
