-- migrate:up

-- Days off that somebody added to a calendar of the service book. Nothing is taken out: what was withdrawn says so.

create table calendar_holiday (
    holiday_id      bigint generated always as identity primary key,
    calendar_id     text not null,
    holiday_on      date not null,
    name            text not null,
    added_at        timestamptz not null,
    added_by        text not null,
    withdrawn_at    timestamptz,
    withdrawn_by    text
);
create unique index calendar_holiday_once on calendar_holiday (calendar_id, holiday_on) where withdrawn_at is null;

-- migrate:down

drop table calendar_holiday;
