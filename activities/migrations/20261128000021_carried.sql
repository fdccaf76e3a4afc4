-- migrate:up

-- From which part of a unit of money the costs of an asset are summed up that another gave: an exact fraction, such as 13/31.

alter table asset add column carried text not null default '0';

-- migrate:down

alter table asset drop column carried;
