-- Subscriptions. `lane` is what deliveries are found by: short, never used again. Secrets and header values are sealed.
CREATE TABLE "webhook" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "webhook_id" TEXT COLLATE "C" NOT NULL,
  "lane" BIGSERIAL NOT NULL,
  "caption" TEXT,
  "endpoint_url" TEXT NOT NULL,
  "status" TEXT NOT NULL CHECK (status IN ('active', 'paused', 'revoked')),
  "event_filters" JSONB NOT NULL,
  "headers_sealed" TEXT,
  "secret_sealed" TEXT NOT NULL,
  "secret_last4" TEXT NOT NULL,
  "timeout_ms" INTEGER NOT NULL DEFAULT 15000,
  "request_context" JSONB NOT NULL,
  "reason" TEXT NOT NULL,
  "source_refs" JSONB NOT NULL,
  "status_request_context" JSONB,
  "status_reason" TEXT,
  "status_source_refs" JSONB,
  "start_position" BIGINT,
  "paused_after" BIGINT,
  "paused_at" TIMESTAMPTZ(3),
  "gaps" JSONB NOT NULL DEFAULT '[]',
  "activation" INTEGER NOT NULL DEFAULT 1,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "revision" BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT "webhook_pkey" PRIMARY KEY ("orgcode", "webhook_id"),
  CONSTRAINT "webhook_orgcode_fkey" FOREIGN KEY ("orgcode") REFERENCES "organisation"("orgcode") ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE UNIQUE INDEX "webhook_lane_key" ON "webhook"("lane");
CREATE INDEX "webhook_orgcode_created_at_webhook_id_idx" ON "webhook"("orgcode", "created_at" DESC, "webhook_id");

-- How a lane fares. Apart from the subscription, because it changes often and must not change the revision under clients.
CREATE TABLE "webhook_health" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "consecutive_failures" INTEGER NOT NULL DEFAULT 0,
  "failing_since" TIMESTAMPTZ(3),
  "last_success_at" TIMESTAMPTZ(3),
  "last_failure_at" TIMESTAMPTZ(3),
  "last_error" JSONB,
  CONSTRAINT "webhook_health_pkey" PRIMARY KEY ("lane")
) WITH (fillfactor = 50);

SELECT ipm_raise_tenant_wall(t) FROM unnest(ARRAY['webhook', 'webhook_health']::regclass[]) AS t;

GRANT SELECT, INSERT, UPDATE ON "webhook", "webhook_health" TO ipm_app;
GRANT USAGE ON SEQUENCE "webhook_lane_seq" TO ipm_app;
GRANT SELECT ON "webhook" TO ipm_system;
GRANT SELECT, INSERT, UPDATE ON "webhook_health" TO ipm_system;
