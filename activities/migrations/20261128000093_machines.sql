-- migrate:up

-- What kind of machine wrote a mail, and what was done about it: whoever looks through a day's mails of machines reads both.

alter table inbox_message add column machine text, add column done text not null default '';

-- migrate:down

alter table inbox_message drop column machine, drop column done;
