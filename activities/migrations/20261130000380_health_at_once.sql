-- migrate:up

-- A score made at once, when its customer could no longer be healthy: it is shown until the next nightly look, which compares with
-- the look before it and tells of the change in the words of that night.
alter table health_score add column at_once boolean not null default false;

-- migrate:down

alter table health_score drop column at_once;
