-- Replays too large for a call: what is asked for, how far it is, and what has come of it.
CREATE TABLE "webhook_replay" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "replay_id" TEXT COLLATE "C" NOT NULL,
  "webhook_id" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "status" TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'counting', 'running', 'completed')),
  "outcome" TEXT CHECK (outcome IN ('succeeded', 'partially_succeeded', 'blocked', 'failed')),
  "only" TEXT NOT NULL CHECK ("only" IN ('all', 'failed', 'missing')),
  "service" TEXT,
  "from_utc" TEXT,
  "to_utc" TEXT NOT NULL,
  "rate" INTEGER NOT NULL,
  "counted_to" BIGINT, -- both are positions in the log: how far it was counted, and sent
  "sent_to" BIGINT,
  "matched" INTEGER NOT NULL DEFAULT 0,
  "queued" INTEGER NOT NULL DEFAULT 0,
  "delivered" INTEGER NOT NULL DEFAULT 0,
  "failed" INTEGER NOT NULL DEFAULT 0,
  "cancel_asked" BOOLEAN NOT NULL DEFAULT false,
  "operation_run_id" INTEGER,
  "reason" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "webhook_replay_pkey" PRIMARY KEY ("orgcode", "replay_id"),
  CHECK ((status = 'completed') = (outcome IS NOT NULL))
);
-- One at a time of a webhook.
CREATE UNIQUE INDEX "webhook_replay_lane_key" ON "webhook_replay" ("lane") WHERE status <> 'completed';

SELECT ipm_raise_tenant_wall('webhook_replay');
GRANT SELECT, INSERT, UPDATE ON "webhook_replay" TO ipm_app, ipm_system;
