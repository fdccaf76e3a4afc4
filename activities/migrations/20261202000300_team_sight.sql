-- migrate:up

-- Somebody may see the customers of their team beside their own. A release that knows no teams goes by `own_only` alone, and shows less.

alter table staff_access add column team boolean not null default false;

-- Whose customers somebody sees who does not see all: their own; and of a team also those of whoever reports to them, directly or by
-- others, and of whoever reports to the same person as they do.

create function people_in_sight(viewer text) returns setof text language sql stable rows 10 as $$
    with recursive below (staff_id) as (
        select s.staff_id from staff s where s.manager_id = viewer
        union select s.staff_id from staff s join below b on s.manager_id = b.staff_id
    ), beside (staff_id) as (
        select s.staff_id from staff v join staff s on s.manager_id = v.manager_id where v.staff_id = viewer
    )
    select viewer
    union
    select x.staff_id from (select staff_id from below union select staff_id from beside) x
    where exists (select from staff_access g where g.staff_id = viewer and g.team)
$$;

-- migrate:down

drop function people_in_sight;
alter table staff_access drop column team;
