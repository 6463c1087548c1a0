-- Work that fails again and again begins anew ever more seldom: how many of its runs failed before this one, one after the other.
ALTER TABLE "operation_run" ADD COLUMN "failed_before" INTEGER NOT NULL DEFAULT 0;
CREATE INDEX "operation_run_type_subject_id_idx" ON "operation_run" ("type", "subject", "id");
