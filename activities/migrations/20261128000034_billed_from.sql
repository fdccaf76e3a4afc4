-- migrate:up

-- From which day on the billing periods of a contract are counted, where it is not its first term's start: what came by
-- transfer goes on with the periods that were paid for.
alter table contract add column billed_from date;

-- The part of a unit of money from which the first charge of an asset is summed up that took over what another gave.
alter table asset add column carried_first text;

-- migrate:down

alter table asset drop column carried_first;
alter table contract drop column billed_from;
