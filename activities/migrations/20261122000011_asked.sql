-- migrate:up

-- What was asked under a request's id, as a digest: the same id with other content is another request, and is refused.

alter table effect add column asked text;

-- migrate:down

alter table effect drop column asked;
