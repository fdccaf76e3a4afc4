-- migrate:up

-- What a line of an order has agreed for later days of its term: [{"start", "quantity", "unit_price"}], in order of time.
alter table order_line add column ramp jsonb;

-- migrate:down

alter table order_line drop column ramp;
