-- Long pieces of work, as document 001 shows them. Without an organisation: work of the whole installation.
CREATE TABLE "operation_run" (
  "id" SERIAL NOT NULL,
  "orgcode" TEXT COLLATE "C",
  "type" TEXT NOT NULL,
  "status" TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'completed')),
  "outcome" TEXT NOT NULL DEFAULT 'pending' CHECK (outcome IN ('pending', 'succeeded', 'partially_succeeded', 'blocked', 'failed')),
  "subject" TEXT NOT NULL,
  "initiator" TEXT NOT NULL,
  "message" TEXT,
  "counts" JSONB NOT NULL DEFAULT '{}',
  "failures" JSONB NOT NULL DEFAULT '[]',
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "started_at" TIMESTAMPTZ(3),
  "heartbeat_at" TIMESTAMPTZ(3),
  "completed_at" TIMESTAMPTZ(3),
  CONSTRAINT "operation_run_pkey" PRIMARY KEY ("id"),
  CHECK ((status = 'completed') = (outcome <> 'pending'))
);
-- One run at work on one subject: who comes after a crash goes on with it.
CREATE UNIQUE INDEX "operation_run_at_work" ON "operation_run"("type", "subject") WHERE status <> 'completed';
SELECT ipm_raise_tenant_wall('operation_run');
GRANT SELECT ON "operation_run" TO ipm_app;
GRANT SELECT, INSERT, UPDATE ON "operation_run" TO ipm_system;
GRANT USAGE ON SEQUENCE "operation_run_id_seq" TO ipm_system;
