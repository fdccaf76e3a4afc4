-- migrate:up

-- Whom a survey asked, by the address that it went to (in lower case): nobody is asked too often, about whatever. One
-- about the relationship that was taken back before it left has asked nobody; those about cases know that already.

alter table survey add column sent_to text, add column withdrawn_at timestamptz;
alter table case_survey add column sent_to text;

update survey s set sent_to = lower(o.body->>'to_email') from outbox o
where o.account_id = s.account_id and o.body->'context'->>'survey_id' = s.survey_id;
update case_survey s set sent_to = lower(m.recipient) from case_message m
where m.case_id = s.case_id and m.template = 'case_survey' and m.at = s.sent_at;

create index survey_of_address on survey (sent_to, sent_at);
create index case_survey_of_address on case_survey (sent_to, sent_at);

-- migrate:down

drop index survey_of_address, case_survey_of_address;
alter table survey drop column sent_to, drop column withdrawn_at;
alter table case_survey drop column sent_to;
