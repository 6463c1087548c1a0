-- Business figures in time buckets, the rules that watch them, and what these raised.

-- One KPI of one place with one set of dimensions. Its row is the lock that all who record it take in turn. '' is "none": texts of
-- the wire are never empty. `identity` is the digest of the other columns, which together would be too long for an index.
CREATE TABLE "kpi_series" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "series" BIGSERIAL NOT NULL,
  "identity" BYTEA NOT NULL,
  "kpi_code" TEXT COLLATE "C" NOT NULL,
  "bucket" TEXT COLLATE "C" NOT NULL CHECK (bucket IN ('hourly', 'daily', 'weekly', 'monthly', 'seasonal', 'fiscal')),
  "scope" TEXT COLLATE "C" NOT NULL CHECK (scope IN ('org', 'facility')),
  "logical_guid" TEXT COLLATE "C" NOT NULL DEFAULT '',
  "channel_code" TEXT COLLATE "C" NOT NULL DEFAULT '',
  "dimensions" JSONB NOT NULL DEFAULT '{}',
  CONSTRAINT "kpi_series_pkey" PRIMARY KEY ("orgcode", "series"),
  CHECK (scope = 'org' OR logical_guid <> '')
);
CREATE UNIQUE INDEX "kpi_series_orgcode_identity_key" ON "kpi_series"("orgcode", "identity");
CREATE INDEX "kpi_series_orgcode_kpi_code_bucket_scope_logical_guid_idx"
  ON "kpi_series"("orgcode", "kpi_code", "bucket", "scope", "logical_guid");

-- A bucket of a series: its key is also the order in which a series is read. `family` is a digest of what every query names (KPI, bucket,
-- scope, facility), so that a page over all series of one is a few neighbours in an index, however many series there are.
CREATE TABLE "kpi_snapshot" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "series" BIGINT NOT NULL,
  "family" BIGINT NOT NULL,
  "bucket_start" TIMESTAMPTZ(3) NOT NULL,
  "bucket_end" TIMESTAMPTZ(3) NOT NULL CHECK (bucket_end > bucket_start),
  "kpi_id" TEXT COLLATE "C" NOT NULL,
  "value" DOUBLE PRECISION NOT NULL,
  "value_unit" TEXT,
  "sample_count" DOUBLE PRECISION,
  "computed_at" TIMESTAMPTZ(3),
  "policy_refs" JSON,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "revision" BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT "kpi_snapshot_pkey" PRIMARY KEY ("orgcode", "series", "bucket_start"),
  CONSTRAINT "kpi_snapshot_orgcode_series_fkey" FOREIGN KEY ("orgcode", "series") REFERENCES "kpi_series"("orgcode", "series")
    ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE INDEX "kpi_snapshot_orgcode_family_bucket_start_series_idx" ON "kpi_snapshot"("orgcode", "family", "bucket_start", "series");
CREATE UNIQUE INDEX "kpi_snapshot_orgcode_kpi_id_key" ON "kpi_snapshot"("orgcode", "kpi_id");

-- Standing rules. `rule_no` is never used again, so a rule that was deleted lends its alerts to no other of the same id.
CREATE TABLE "kpi_rule" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "rule_id" TEXT COLLATE "C" NOT NULL,
  "rule_no" BIGSERIAL NOT NULL,
  "status" TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused')),
  "kpi_code" TEXT COLLATE "C" NOT NULL,
  "bucket" TEXT COLLATE "C" NOT NULL,
  "scope" TEXT COLLATE "C",
  "logical_guid" TEXT COLLATE "C",
  "channel_code" TEXT COLLATE "C",
  "dimensions" JSONB NOT NULL DEFAULT '{}',
  "measure" TEXT NOT NULL CHECK (measure IN ('value', 'change_percent', 'minutes_missing')),
  "comparator" TEXT NOT NULL CHECK (comparator IN ('gt', 'gte', 'lt', 'lte', 'eq', 'neq')),
  "threshold" DOUBLE PRECISION NOT NULL,
  "title" TEXT,
  "request_context" JSONB NOT NULL,
  "reason" TEXT NOT NULL,
  "source_refs" JSONB NOT NULL,
  "watches_from" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "revision" BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT "kpi_rule_pkey" PRIMARY KEY ("orgcode", "rule_id"),
  CONSTRAINT "kpi_rule_orgcode_fkey" FOREIGN KEY ("orgcode") REFERENCES "organisation"("orgcode") ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE UNIQUE INDEX "kpi_rule_rule_no_key" ON "kpi_rule"("rule_no");
CREATE INDEX "kpi_rule_orgcode_kpi_code_bucket_idx" ON "kpi_rule"("orgcode", "kpi_code", "bucket");
CREATE INDEX "kpi_rule_orgcode_created_at_rule_id_idx" ON "kpi_rule"("orgcode", "created_at" DESC, "rule_id");

-- Alerts: what a caller emitted, and what a rule raised for a bucket of a series, each bucket once.
CREATE TABLE "kpi_alert" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "alert_id" TEXT COLLATE "C" NOT NULL,
  "rule_id" TEXT COLLATE "C",
  "rule_no" BIGINT,
  "series" BIGINT,
  "kpi_code" TEXT COLLATE "C" NOT NULL,
  "measure" TEXT NOT NULL DEFAULT 'value',
  "value" DOUBLE PRECISION NOT NULL,
  "comparator" TEXT NOT NULL,
  "threshold" DOUBLE PRECISION NOT NULL,
  "scope" TEXT NOT NULL,
  "logical_guid" TEXT,
  "channel_code" TEXT,
  "bucket" TEXT NOT NULL,
  "bucket_start" TIMESTAMPTZ(3) NOT NULL,
  "bucket_end" TIMESTAMPTZ(3) NOT NULL,
  "dimensions" JSONB NOT NULL DEFAULT '{}',
  "title" TEXT,
  "body" TEXT,
  "team_guid" TEXT,
  "inbox_service" TEXT,
  -- What the inbox is told beside the alert: notification_id, priority, act_by, status, state.
  "notification" JSONB NOT NULL DEFAULT '{}',
  "inbox_notification_id" TEXT,
  "delivery_status" TEXT NOT NULL CHECK (delivery_status IN ('not_requested', 'not_configured', 'pending', 'delivered', 'failed')),
  "delivery_error" JSONB,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "due_at" TIMESTAMPTZ(3),
  "fence" BIGINT NOT NULL DEFAULT 0,
  "request_context" JSONB,
  "reason" TEXT,
  "source_refs" JSONB,
  "cleared_at" TIMESTAMPTZ(3),
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "revision" BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT "kpi_alert_pkey" PRIMARY KEY ("orgcode", "alert_id"),
  CHECK ((delivery_status = 'pending') = (due_at IS NOT NULL))
);
CREATE INDEX "kpi_alert_orgcode_created_at_alert_id_idx" ON "kpi_alert"("orgcode", "created_at" DESC, "alert_id");
CREATE UNIQUE INDEX "kpi_alert_once_a_bucket" ON "kpi_alert"("orgcode", "rule_no", "series", "bucket_start") WHERE rule_no IS NOT NULL;
CREATE INDEX "kpi_alert_open" ON "kpi_alert"("orgcode", "series") WHERE rule_no IS NOT NULL AND cleared_at IS NULL;
CREATE INDEX "kpi_alert_due" ON "kpi_alert"("orgcode", "due_at") WHERE delivery_status = 'pending';

-- Up to where IPM has recorded its own work as KPIs: the end of the last bucket, and the last event that was counted in it.
CREATE TABLE "kpi_own_progress" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "bucket" TEXT COLLATE "C" NOT NULL CHECK (bucket IN ('hourly', 'daily')),
  "done_to" TIMESTAMPTZ(3) NOT NULL,
  "position" BIGINT NOT NULL DEFAULT 0,
  CONSTRAINT "kpi_own_progress_pkey" PRIMARY KEY ("orgcode", "bucket")
);

-- Rollups that were asked for. `series` and `done_to` say how far a run is, so that one whose worker was lost goes on.
CREATE TABLE "kpi_rollup" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "rollup_id" TEXT COLLATE "C" NOT NULL,
  "status" TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'completed')),
  "kpi_code" TEXT NOT NULL,
  "into_kpi_code" TEXT NOT NULL,
  "scope" TEXT NOT NULL,
  "logical_guid" TEXT,
  "channel_code" TEXT,
  "dimensions" JSONB NOT NULL DEFAULT '{}',
  "from_bucket" TEXT NOT NULL,
  "to_bucket" TEXT NOT NULL,
  "aggregate" TEXT NOT NULL CHECK (aggregate IN ('sum', 'avg', 'min', 'max', 'last', 'weighted')),
  "from_utc" TIMESTAMPTZ(3) NOT NULL,
  "to_utc" TIMESTAMPTZ(3) NOT NULL,
  "series" BIGINT NOT NULL DEFAULT 0,
  "done_to" TIMESTAMPTZ(3),
  "recorded" INTEGER NOT NULL DEFAULT 0,
  "revised" INTEGER NOT NULL DEFAULT 0,
  "unchanged" INTEGER NOT NULL DEFAULT 0,
  "left_out" INTEGER NOT NULL DEFAULT 0,
  "operation_run_id" INTEGER,
  "reason" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "kpi_rollup_pkey" PRIMARY KEY ("orgcode", "rollup_id")
);
CREATE INDEX "kpi_rollup_open" ON "kpi_rollup"("created_at") WHERE status <> 'completed';

SELECT ipm_raise_tenant_wall(t) FROM unnest(ARRAY['kpi_rollup', 'kpi_series', 'kpi_snapshot', 'kpi_rule', 'kpi_alert', 'kpi_own_progress']::regclass[]) AS t;

GRANT SELECT, INSERT, UPDATE ON "kpi_series", "kpi_snapshot", "kpi_alert", "kpi_own_progress", "kpi_rollup" TO ipm_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "kpi_rule" TO ipm_app;
GRANT USAGE ON SEQUENCE "kpi_series_series_seq", "kpi_rule_rule_no_seq" TO ipm_app;
GRANT SELECT ON "kpi_rule", "kpi_own_progress", "kpi_rollup" TO ipm_system;
GRANT SELECT, UPDATE ON "kpi_alert" TO ipm_system;
