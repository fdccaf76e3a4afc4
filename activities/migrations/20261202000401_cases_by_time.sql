-- migrate:up

create index service_case_by_time on service_case (opened_at desc, case_id desc);

-- migrate:down

drop index service_case_by_time;
