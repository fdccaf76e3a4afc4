-- migrate:up

-- By which day of the month the months of a contract are counted, where it is not that of its first term's start, and those
-- of a renewed term, where the contract says so.

alter table contract add column anchor_day smallint;
alter table asset_action add column months_from timestamptz;

-- migrate:down

alter table asset_action drop column months_from;
alter table contract drop column anchor_day;
