-- migrate:up

-- When the term began that an asset came into, if that was before the asset did: its months count from there.

alter table asset add column months_from timestamptz;

-- migrate:down

alter table asset drop column months_from;
