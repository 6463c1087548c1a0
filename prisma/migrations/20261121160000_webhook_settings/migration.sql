-- How a webhook is sent to. Null is what the installation says; so is an empty schedule, which is how Prisma writes "none".
ALTER TABLE "webhook"
  ADD COLUMN "payload_format" TEXT NOT NULL DEFAULT 'envelope' CHECK (payload_format IN ('envelope', 'cloudevents', 'event')),
  ADD COLUMN "rate_limit" INTEGER CHECK (rate_limit BETWEEN 1 AND 10000),
  ADD COLUMN "retry_schedule" INTEGER[] CHECK (cardinality(retry_schedule) <= 20 AND 0 <= ALL (retry_schedule) AND 86400 >= ALL (retry_schedule)),
  ADD COLUMN "ordering" TEXT NOT NULL DEFAULT 'parallel' CHECK (ordering IN ('parallel', 'key')),
  ADD COLUMN "ordering_skip_after" INTEGER CHECK (ordering_skip_after >= 1),
  ADD COLUMN "auto_pause" JSONB,
  ADD COLUMN "previous_secret_sealed" TEXT,
  ADD COLUMN "previous_secret_until" TIMESTAMPTZ(3);

-- The breaker: nothing is sent to the lane before then.
ALTER TABLE "webhook_health" ADD COLUMN "not_before" TIMESTAMPTZ(3);

-- The version of an organisation's set of webhooks: whoever keeps them in memory sees by it that they changed. No row is version 0.
CREATE TABLE "webhook_roll" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "version" BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT "webhook_roll_pkey" PRIMARY KEY ("orgcode")
) WITH (fillfactor = 50);

SELECT ipm_raise_tenant_wall('webhook_roll');

GRANT SELECT, INSERT, UPDATE ON "webhook_roll" TO ipm_app, ipm_system;
GRANT UPDATE ON "webhook" TO ipm_system;
