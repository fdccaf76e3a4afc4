-- migrate:up

-- Terms that were agreed ahead of what an asset takes over from another, by swap or transfer: when they begin, and from which
-- instant their months are counted.
alter table asset_action add column terms jsonb not null default '[]';

-- migrate:down

alter table asset_action drop column terms;
