-- migrate:up

-- When the next mail may leave, for all workers together: whoever sends one moves it on by what a mail takes of the rate.

create table mail_pace (
    only_one    boolean primary key default true check (only_one),
    free_at     timestamptz not null
);
insert into mail_pace values (true, '-infinity');

-- migrate:down

drop table mail_pace;
