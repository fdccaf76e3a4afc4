-- migrate:up

-- By which trace of OpenTelemetry a message was decided (W3C traceparent), so that its delivery, however late, belongs to it.

alter table outbox add column trace text;

-- migrate:down

alter table outbox drop column trace;
