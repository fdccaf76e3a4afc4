-- migrate:up

-- A score says by which profile it was made, what capped or overrode it, how it stands against 30 days ago, and since when its
-- band is what it is. `news` is what the journey has to hear of it: told once it has.

alter table health_score
    add column profile text not null default '',
    add column profile_version integer not null default 0,
    add column why text not null default '',
    add column cause text not null default '',
    add column rules jsonb not null default '[]',
    add column trend jsonb,
    add column since timestamptz,
    add column news text check (news in ('fell', 'rose', 'became', 'long_unknown')),
    add column told_at timestamptz;
create index health_score_untold on health_score (account_id) where news is not null and told_at is null;

-- A person knows better, for a reason and a while.

create table health_override (
    override_id text primary key,
    account_id  text not null references account,
    band        text not null check (band in ('critical', 'watch', 'healthy')),
    reason      text not null,
    by          text not null,
    since       timestamptz not null,
    until       timestamptz not null,
    check (since < until)
);
create index health_override_of_account on health_override (account_id, until);

-- What the role of somebody was who is gone: a sponsor who left is a risk.

alter table gone_contact add column role text;

-- migrate:down

alter table gone_contact drop column role;
drop table health_override;
drop index health_score_untold;
alter table health_score drop column told_at, drop column news, drop column since, drop column trend, drop column rules,
    drop column cause, drop column why,
    drop column profile_version, drop column profile;
