-- migrate:up

-- By how many per cent a renewal raised the prices of before; null where it gave a price instead, and of what was renewed before this was kept.
alter table asset_action add column uplift_percent numeric;

-- migrate:down

alter table asset_action drop column uplift_percent;
