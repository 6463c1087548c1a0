-- Imports and exports: what was asked for, how far it is, and what has come of it.
CREATE TABLE "bulk_job" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "job_id" TEXT COLLATE "C" NOT NULL,
  "job_type" TEXT NOT NULL CHECK (job_type IN ('import', 'export')),
  "status" TEXT NOT NULL CHECK (status IN ('awaiting_upload', 'queued', 'running', 'completed', 'failed')),
  "content_type" TEXT NOT NULL,
  "prefix" TEXT NOT NULL, -- of its objects in the store
  "request_context" JSONB NOT NULL,
  "reason" TEXT NOT NULL,
  "source_refs" JSONB NOT NULL,
  "continues" TEXT COLLATE "C",
  -- An import: what it reads, from where on, and how far it is.
  "input_key" TEXT,
  "pins" TEXT[] NOT NULL DEFAULT '{}', -- copies of the upload that commits have made, or wanted to: they go with the job
  "input_bytes" BIGINT,
  "resume_from_line" BIGINT,
  "read_bytes" BIGINT NOT NULL DEFAULT 0,
  "line_count" BIGINT NOT NULL DEFAULT 0,
  "processed_count" BIGINT NOT NULL DEFAULT 0,
  "error_count" BIGINT NOT NULL DEFAULT 0,
  "skipped_lines" BIGINT NOT NULL DEFAULT 0,
  "report_key" TEXT,
  -- An export: what it takes of the log, between which positions, and how far it is.
  "service" TEXT,
  "from_utc" TEXT,
  "to_utc" TEXT,
  "max_records" INTEGER,
  "start_position" BIGINT,
  "end_position" BIGINT,
  "position" BIGINT,
  "record_count" BIGINT NOT NULL DEFAULT 0,
  "upload_id" TEXT,
  "parts" JSONB NOT NULL DEFAULT '[]',
  "output_key" TEXT,
  "output_bytes" BIGINT,
  "failure_tag" TEXT,
  "failure_message" TEXT,
  "operation_run_id" INTEGER,
  -- Whose it is while it runs: results of an older fence are refused.
  "fence" BIGINT NOT NULL DEFAULT 0,
  "claims" INTEGER NOT NULL DEFAULT 0, -- since it last came a step further
  "lease_until" TIMESTAMPTZ(3),
  "queued_at" TIMESTAMPTZ(3),
  "started_at" TIMESTAMPTZ(3),
  "ended_at" TIMESTAMPTZ(3),
  "files_deleted_at" TIMESTAMPTZ(3),
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "revision" BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT "bulk_job_pkey" PRIMARY KEY ("orgcode", "job_id"),
  CHECK ((status = 'running') = (lease_until IS NOT NULL)),
  CHECK ((status = 'failed') = (failure_tag IS NOT NULL)),
  CHECK (job_type = 'export' OR line_count = processed_count + error_count + skipped_lines)
);
CREATE INDEX "bulk_job_newest" ON "bulk_job" ("orgcode", "created_at" DESC, "job_id" DESC);
CREATE INDEX "bulk_job_open" ON "bulk_job" ("orgcode", "queued_at") WHERE status IN ('queued', 'running');
CREATE INDEX "bulk_job_awaiting" ON "bulk_job" ("created_at") WHERE status = 'awaiting_upload';
CREATE INDEX "bulk_job_with_files" ON "bulk_job" ("ended_at") WHERE ended_at IS NOT NULL AND files_deleted_at IS NULL;

-- Lines that an import refused, until its report is written.
CREATE TABLE "bulk_error" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "job_id" TEXT COLLATE "C" NOT NULL,
  "line" BIGINT NOT NULL,
  "entry" JSONB NOT NULL,
  CONSTRAINT "bulk_error_pkey" PRIMARY KEY ("orgcode", "job_id", "line"),
  CONSTRAINT "bulk_error_job" FOREIGN KEY ("orgcode", "job_id") REFERENCES "bulk_job" ON DELETE CASCADE
);

SELECT ipm_raise_tenant_wall(t) FROM unnest(ARRAY['bulk_job', 'bulk_error']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON "bulk_job" TO ipm_app;
GRANT SELECT, INSERT, DELETE ON "bulk_error" TO ipm_app;
GRANT SELECT, UPDATE, DELETE ON "bulk_job" TO ipm_system;
GRANT SELECT, DELETE ON "bulk_error" TO ipm_system;

-- A job's operation run begins and ends in the transactions of the job.
GRANT INSERT, UPDATE ON "operation_run" TO ipm_app;
GRANT USAGE ON SEQUENCE "operation_run_id_seq" TO ipm_app;

-- Takes queued jobs, those of organisations with the fewest at work first, and of one organisation the oldest first. One taker at a
-- time, so that no organisation gets more than its share. A job whose worker is gone is queued again, in its old place.
CREATE FUNCTION ipm_claim_bulk_jobs(p_at_most integer, p_per_organisation integer, p_lease interval)
RETURNS TABLE (orgcode text, "jobId" text, fence bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock(4714, 0);
  UPDATE bulk_job SET status = 'queued', lease_until = NULL, updated_at = clock_timestamp()
  WHERE status = 'running' AND lease_until < clock_timestamp();
  RETURN QUERY
    WITH turns AS (
      SELECT q.orgcode, q.job_id, q.queued_at,
        row_number() OVER (PARTITION BY q.orgcode ORDER BY q.queued_at, q.job_id)
          + (SELECT count(*) FROM bulk_job r WHERE r.orgcode = q.orgcode AND r.status = 'running') AS turn
      FROM bulk_job q WHERE q.status = 'queued'
    ), chosen AS (
      SELECT * FROM turns WHERE turn <= p_per_organisation ORDER BY turn, queued_at, job_id LIMIT p_at_most
    )
    UPDATE bulk_job j SET status = 'running', fence = j.fence + 1, claims = j.claims + 1, lease_until = clock_timestamp() + p_lease,
      started_at = coalesce(j.started_at, clock_timestamp()), updated_at = clock_timestamp(), revision = j.revision + 1
    FROM chosen c WHERE j.orgcode = c.orgcode AND j.job_id = c.job_id AND j.status = 'queued'
    RETURNING j.orgcode, j.job_id, j.fence;
END $$;

-- A stretch of an import: its events into the log, its bad lines into the report and the checkpoint, or nothing of it. Answers whether
-- the job is still the caller's. The last `p_own` events are IPM's own, which have been pushed when they were new. Raises IPM01 where the events were checked against a catalog that has changed since.
CREATE FUNCTION ipm_import_chunk(
  p_orgcode text, p_job_id text, p_fence bigint, p_lease interval, p_lines bigint, p_bytes bigint, p_processed bigint, p_errors bigint,
  p_skipped bigint, p_report jsonb, p_catalog_version bigint, p_max_age interval, p_own integer, p_event_ids text[], p_occurred_at timestamptz[],
  p_services text[], p_actions text[], p_logical_guids text[], p_channel_codes text[], p_envelopes text[])
RETURNS TABLE ("isOurs" boolean) LANGUAGE plpgsql AS $$
DECLARE
  pushable integer := cardinality(p_event_ids) - p_own;
BEGIN
  UPDATE bulk_job SET line_count = p_lines, read_bytes = p_bytes, processed_count = p_processed, error_count = p_errors,
    skipped_lines = p_skipped, claims = 0, lease_until = clock_timestamp() + p_lease, updated_at = clock_timestamp()
  WHERE orgcode = p_orgcode AND job_id = p_job_id AND fence = p_fence AND status = 'running';
  IF NOT FOUND THEN
    RETURN QUERY SELECT false;
    RETURN;
  END IF;
  INSERT INTO bulk_error (orgcode, job_id, line, entry)
  SELECT p_orgcode, p_job_id, (e ->> 'line')::bigint, e FROM jsonb_array_elements(p_report) e;
  IF pushable > 0 THEN
    PERFORM ipm_append(p_orgcode, p_catalog_version, p_max_age, p_event_ids[:pushable], p_occurred_at[:pushable], p_services[:pushable],
      p_actions[:pushable], p_logical_guids[:pushable], p_channel_codes[:pushable], p_envelopes[:pushable]);
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the catalog of % has changed', p_orgcode USING ERRCODE = 'IPM01';
    END IF;
  END IF;
  IF p_own > 0 THEN
    PERFORM ipm_append(p_orgcode, p_catalog_version, interval '0', p_event_ids[pushable + 1:], p_occurred_at[pushable + 1:],
      p_services[pushable + 1:], p_actions[pushable + 1:], p_logical_guids[pushable + 1:], p_channel_codes[pushable + 1:], p_envelopes[pushable + 1:]);
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the catalog of % has changed', p_orgcode USING ERRCODE = 'IPM01';
    END IF;
  END IF;
  RETURN QUERY SELECT true;
END $$;

-- Lines of an export: events after a position that pass, up to a number of them and about so many bytes, looking at no more than so many.
-- `cursor` is the last position that was seen. Where a line goes on with what the log adds stands "}" and U+0001, which no JSON has: cutting
-- the bracket off here would count the characters of every event, and take half of the time.
CREATE FUNCTION ipm_export_page(
  p_orgcode text, p_after bigint, p_before bigint, p_limit integer, p_max_bytes bigint, p_scan_limit integer, p_service text,
  p_from timestamptz, p_to timestamptz)
RETURNS TABLE (records integer, cursor bigint, "droppedTo" bigint, lines text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = 'force_generic_plan' AS $$
#variable_conflict use_column
DECLARE
  seen_to bigint;
BEGIN
  WITH scanned AS (
    SELECT position, octet_length(envelope) AS bytes,
      (p_service IS NULL OR service = p_service) AND (p_from IS NULL OR occurred_at >= p_from) AND (p_to IS NULL OR occurred_at < p_to) AS passes
    FROM event WHERE orgcode = p_orgcode AND position > p_after AND position < p_before ORDER BY position LIMIT p_scan_limit
  ), counted AS (
    SELECT position, count(*) OVER all_rows AS looked_at, count(*) FILTER (WHERE passes) OVER sofar AS n,
      coalesce(sum(bytes) FILTER (WHERE passes) OVER before_it, 0) AS bytes_before
    FROM scanned
    WINDOW all_rows AS (), sofar AS (ORDER BY position), before_it AS (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  )
  SELECT CASE WHEN count(*) < max(looked_at) OR max(looked_at) = p_scan_limit THEN max(position) ELSE p_before - 1 END INTO seen_to
  FROM counted WHERE n <= p_limit AND bytes_before < p_max_bytes;
  RETURN QUERY
    SELECT count(*)::int, seen_to, (SELECT coalesce(max(h.dropped_to), 0) FROM org_head h WHERE h.orgcode = p_orgcode),
      coalesce(string_agg(envelope || E'\x01,"recorded_at":"' || to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        || '","position":"' || position || '"}' || E'\n', ''), '')
    FROM (
      SELECT position, recorded_at, envelope FROM event
      WHERE orgcode = p_orgcode AND position > p_after AND position <= seen_to
        AND (p_service IS NULL OR service = p_service) AND (p_from IS NULL OR occurred_at >= p_from) AND (p_to IS NULL OR occurred_at < p_to)
      ORDER BY position) e;
END $$;

REVOKE EXECUTE ON FUNCTION ipm_claim_bulk_jobs, ipm_import_chunk, ipm_export_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_claim_bulk_jobs TO ipm_system;
GRANT EXECUTE ON FUNCTION ipm_import_chunk, ipm_export_page TO ipm_app;
