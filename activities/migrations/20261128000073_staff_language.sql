-- migrate:up

-- The language in which one of the seller's people is told things; null: the company's own.

alter table staff add column language text;

-- migrate:down

alter table staff drop column language;
