-- migrate:up

-- What tools of agents asked: done at once, or proposed until a person confirms or refuses it.

create table tool_act (
    act_id          text primary key,
    actor           text not null,
    operation       text not null,
    subject_id      text not null,
    request         jsonb not null,
    reason          text not null,
    takes_back      text references tool_act,
    at              timestamptz not null,
    expires_at      timestamptz,
    decision        text check (decision in ('confirmed', 'refused', 'withdrawn')),
    decided_by      text,
    decided_at      timestamptz,
    decided_reason  text,
    outcome         text,
    answer          jsonb,
    check ((decision is null) = (decided_by is null) and (decision is null) = (decided_at is null))
);
create index tool_act_waiting on tool_act (expires_at) where expires_at is not null and decision is null;
create index tool_act_at on tool_act (at);
comment on column tool_act.actor is 'whose key it was, as in the audit log: key:assistant';
comment on column tool_act.subject_id is 'the account or the case that is asked; empty for what begins one';
comment on column tool_act.expires_at is 'of a proposal: until when it can be confirmed; null for what was done at once';
comment on column tool_act.outcome is 'done, the name of a refusal, or open while nobody answered; null while nobody asked';

-- migrate:down

drop table tool_act;
