-- Runs as operators see them: who has settled one whose worker could not, and on what evidence.
ALTER TABLE "operation_run"
  ADD COLUMN "takeovers" INTEGER NOT NULL DEFAULT 0, -- the fence: whoever has it by an older number has it no more
  ADD COLUMN "lost_workers" INTEGER NOT NULL DEFAULT 0, -- one after the other, without a step in between
  ADD COLUMN "reconciled_at" TIMESTAMPTZ(3),
  ADD COLUMN "reconciliation_source" TEXT CHECK (reconciliation_source IN ('failed_callback', 'scheduled_reconciler', 'adapter_reconciler')),
  ADD COLUMN "reason_code" TEXT,
  ADD COLUMN "reason_message" TEXT,
  ADD COLUMN "evidence" JSONB,
  ADD CONSTRAINT "operation_run_reconciliation" CHECK (
    (reconciled_at IS NULL) = (reconciliation_source IS NULL) AND (reconciled_at IS NULL OR status = 'completed')
  );

-- A page of any filter is a stretch of one of these, newest first.
CREATE INDEX "operation_run_orgcode_id_idx" ON "operation_run" ("orgcode", "id");
CREATE INDEX "operation_run_type_id_idx" ON "operation_run" ("type", "id");
CREATE INDEX "operation_run_outcome_id_idx" ON "operation_run" ("outcome", "id");
CREATE INDEX "operation_run_open" ON "operation_run" ("id") WHERE status <> 'completed';
CREATE INDEX "operation_run_open_of_organisation" ON "operation_run" ("orgcode", "id") WHERE status <> 'completed';
CREATE INDEX "operation_run_reconciled" ON "operation_run" ("id") WHERE reconciled_at IS NOT NULL;
CREATE INDEX "operation_run_reconciled_of_organisation" ON "operation_run" ("orgcode", "id") WHERE reconciled_at IS NOT NULL;

-- They are kept as long as the events that they are about.
GRANT DELETE ON "operation_run" TO ipm_system;
