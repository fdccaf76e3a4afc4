-- migrate:up

-- What service promises: calendars and policies, each version kept as it was when a case was opened under it.

create table business_calendar (
    calendar_id     text not null,
    version         integer not null,
    body            jsonb not null,
    primary key (calendar_id, version)
);

create table service_policy (
    policy_id       text not null,
    version         integer not null,
    body            jsonb not null,
    primary key (policy_id, version)
);

create table entitlement (
    entitlement_id  text primary key,
    account_id      text not null references account,
    policy_id       text not null,
    product_code    text,
    contract_id     text,
    starts_on       date not null,
    ends_on         date,
    check (ends_on is null or starts_on <= ends_on)
);
create index entitlement_of_account on entitlement (account_id);

-- Who serves. An agent's shift is the hours of a calendar; the load is counted from the open cases.

create table service_team (
    team            text primary key,
    name            text not null,
    lead_id         text references staff,
    manager_id      text references staff,
    director_id     text references staff
);

create table service_agent (
    staff_id        text primary key references staff,
    team            text not null references service_team,
    skills          text[] not null default '{}',
    shift           text,
    case_limit      integer check (case_limit > 0),
    active          boolean not null default true,
    assigned_at     timestamptz
);
create index service_agent_of_team on service_agent (team);

-- A case as it stands. `account_id` is null while it is not known whose it is; `contact` says who wrote, with
-- {contact_id, name, email, phone, language, time_zone}. `calendars` are the versions that its promises are counted in.

create table service_case (
    case_id             text primary key,
    account_id          text references account,
    contact_id          text,
    contact             jsonb not null default '{}',
    subject             text not null,
    channel             text not null,
    category            text not null default 'question',
    product_code        text,
    asset_id            text,
    contract_id         text,
    order_id            text,
    line_id             text,
    impact              text not null check (impact in ('high', 'medium', 'low')),
    urgency             text not null check (urgency in ('high', 'medium', 'low')),
    priority            text not null check (priority in ('urgent', 'high', 'medium', 'low')),
    severity            integer,
    status              text not null check (status in ('new', 'open', 'waiting_customer', 'waiting_internal',
                            'waiting_third_party', 'resolved', 'closed', 'merged', 'cancelled')),
    status_reason       text not null default '',
    status_at           timestamptz not null,
    escalated           boolean not null default false,
    escalated_at        timestamptz,
    owner_id            text,
    team                text,
    version             integer not null default 1,
    opened_at           timestamptz not null,
    first_response_at   timestamptz,
    resolved_at         timestamptz,
    closed_at           timestamptz,
    last_activity_at    timestamptz not null,
    resume_at           timestamptz,
    resolution_code     text,
    resolution_text     text,
    reopen_count        integer not null default 0,
    merged_into         text references service_case,
    parent_id           text references service_case,
    follows_id          text references service_case,
    policy_id           text,
    policy_version      integer,
    chosen_by           text not null default 'nothing',
    entitlement_id      text,
    entitled            boolean not null default false,
    calendar_id         text,
    calendar_version    integer,
    calendars           jsonb not null default '{}',
    planned_at          timestamptz not null,
    next_action_at      timestamptz,
    digest              text not null default '',
    followers           text[] not null default '{}',
    imported            boolean not null default false,
    recorded_at         timestamptz not null
);
create index service_case_of_account on service_case (account_id, opened_at);
create index service_case_merged on service_case (merged_into) where merged_into is not null;
create index service_case_children on service_case (parent_id) where parent_id is not null;
create index service_case_of_owner on service_case (owner_id) where status not in ('closed', 'merged', 'cancelled');
create index service_case_acting on service_case (account_id) where next_action_at is not null;

-- What happened, in the order of its recording. `at` is when it happened, `recorded_at` when it was heard of.

create table case_event (
    case_id         text not null references service_case,
    sequence        integer not null,
    at              timestamptz not null,
    recorded_at     timestamptz not null,
    kind            text not null,
    by              text not null,
    detail          jsonb not null default '{}',
    visibility      text not null default 'shared' check (visibility in ('shared', 'internal')),
    primary key (case_id, sequence)
);
create index case_event_at on case_event (case_id, at);

create table case_message (
    case_id         text not null references service_case,
    number          integer not null,
    direction       text not null check (direction in ('inbound', 'outbound')),
    channel         text not null,
    message_id      text,
    in_reply_to     text,
    "references"    text[] not null default '{}',
    sender          text not null default '',
    recipient       text not null default '',
    subject         text not null default '',
    body            text not null default '',
    at              timestamptz not null,
    automatic       boolean not null default false,
    template        text,
    delivery_id     text,
    primary key (case_id, number)
);
create unique index case_message_once on case_message (message_id, case_id) where message_id is not null;

-- Promises: one row per occurrence. `violation_target` is the target that a violation was judged by; a violation that
-- late evidence takes back keeps `violated_at` and gets `reversed_at`.

create table case_milestone (
    case_id             text not null references service_case,
    milestone           text not null,
    number              integer not null,
    kind                text not null,
    started_at          timestamptz not null,
    target              interval,
    due_at              timestamptz,
    warned_at           timestamptz,
    completed_at        timestamptz,
    violated_at         timestamptz,
    violation_target    interval,
    reversed_at         timestamptz,
    elapsed             interval,
    state               text not null check (state in ('none', 'open', 'paused', 'met', 'missed', 'stopped')),
    primary key (case_id, milestone, number)
);
create index case_milestone_violated on case_milestone (case_id) where violated_at is not null and reversed_at is null;

-- Actions that a case did by itself, each once: warnings, violations, escalations, reminders, surveys.

create table case_action (
    key             text primary key,
    case_id         text not null references service_case,
    at              timestamptz not null,
    withdrawn_at    timestamptz
);
create index case_action_of_case on case_action (case_id);

create table case_survey (
    survey_id       text primary key,
    case_id         text not null references service_case,
    sent_at         timestamptz not null,
    withdrawn_at    timestamptz,
    score           integer check (score between 1 and 5),
    comment         text,
    answered_at     timestamptz
);
create index case_survey_of_case on case_survey (case_id, sent_at);

-- A case may be of nobody known yet; and what was taken back before it left was neither sent nor rejected.

alter table outbox alter column account_id drop not null;
alter table outbox drop constraint outbox_status_check;
alter table outbox add constraint outbox_status_check check (status in ('waiting', 'sent', 'rejected', 'withdrawn'));

-- migrate:down

alter table outbox drop constraint outbox_status_check;
alter table outbox add constraint outbox_status_check check (status in ('waiting', 'sent', 'rejected'));
alter table outbox alter column account_id set not null;
drop table case_survey, case_action, case_milestone, case_message, case_event, service_case, service_agent, service_team,
    entitlement, service_policy, business_calendar;
