-- migrate:up

-- Who was asked to be a reference, and what they said. A no is for good; who did not answer may be asked again after a year.

create table reference_ask (
    reference_id    text primary key,
    account_id      text not null references account,
    contact_id      text not null,
    sent_to         text not null,
    sent_at         timestamptz not null,
    answer          text check (answer in ('yes', 'no')),
    comment         text not null default '',
    answered_at     timestamptz,
    withdrawn_at    timestamptz
);
create index reference_ask_of_account on reference_ask (account_id, sent_at);

alter table lead drop constraint lead_motion_check;
alter table lead add constraint lead_motion_check check (motion in ('seats', 'tier', 'add_on', 'cross_sell', 'reference'));

-- migrate:down

delete from lead where motion = 'reference';
alter table lead drop constraint lead_motion_check;
alter table lead add constraint lead_motion_check check (motion in ('seats', 'tier', 'add_on', 'cross_sell'));
drop table reference_ask;
