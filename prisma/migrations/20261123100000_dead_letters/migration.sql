-- What operators see of failed deliveries, and what they did with them (docs/operations.md, "Dead letters").
--
-- No list and no count of theirs reads the table of deliveries. What is dead stands in delivery_dead, what was ended in
-- delivery_cancelled, what failed and is tried again is marked in the queue; each says why and when, and each has an index in the order
-- of the list. The time is first and the key breaks ties, so that a page goes on where the last one ended.
ALTER TABLE "delivery_dead" ADD COLUMN "error_tag" TEXT COLLATE "C" NOT NULL DEFAULT 'unknown';
CREATE TABLE "delivery_cancelled" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "ended_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "lane" BIGINT NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL,
  "reason" TEXT COLLATE "C" NOT NULL,
  CONSTRAINT "delivery_cancelled_pkey" PRIMARY KEY ("lane", "position", "replay_no")
);
ALTER TABLE "delivery_due" ADD COLUMN "failed_at" TIMESTAMPTZ(3), ADD COLUMN "error_tag" TEXT COLLATE "C"; -- of an attempt before

-- What operators did with one, as it stands: none where they did nothing. A replay is of the same lane and position, so the link is a
-- number; the two keys hold it once in each direction, and that is what keeps a second replay out.
CREATE TABLE "dead_letter_mark" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL,
  "status" TEXT COLLATE "C" NOT NULL CHECK (status IN ('acknowledged', 'replayed')),
  "replayed_as" INTEGER,
  "bulk_act_id" UUID,
  "marked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "dead_letter_mark_pkey" PRIMARY KEY ("lane", "position", "replay_no"),
  CHECK ((status = 'replayed') = (replayed_as IS NOT NULL))
);
CREATE UNIQUE INDEX "dead_letter_mark_lane_position_replayed_as_key" ON "dead_letter_mark" ("lane", "position", "replayed_as");
CREATE INDEX "dead_letter_mark_status_idx" ON "dead_letter_mark" ("status");

-- Every act, in its time: what a mark was before it changed stays here.
CREATE TABLE "dead_letter_act" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL,
  "act_id" UUID NOT NULL DEFAULT gen_random_uuid(),
  "act" TEXT NOT NULL CHECK (act IN ('acknowledged', 'replayed', 'created_by_replay', 'retried_by_hand')),
  "actor" TEXT NOT NULL,
  "payload" JSONB NOT NULL DEFAULT '{}',
  "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "dead_letter_act_pkey" PRIMARY KEY ("lane", "position", "replay_no", "act_id")
);

-- Acts on many: what is asked for, how far it is, and what has come of it. Of no organisation, as operators are.
CREATE TABLE "dead_letter_bulk_act" (
  "bulk_act_id" UUID NOT NULL DEFAULT gen_random_uuid(),
  "act" TEXT NOT NULL CHECK (act IN ('replay', 'acknowledge')),
  "filter" JSONB NOT NULL,
  "reason" TEXT,
  "status" TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'counting', 'running', 'completed')),
  "outcome" TEXT CHECK (outcome IN ('succeeded', 'partially_succeeded', 'blocked', 'failed')),
  "until" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(), -- what fails later is not meant
  "counted_to" TEXT[] NOT NULL DEFAULT '{}', -- both are places in the list: how far it was counted, and worked off
  "done_to" TEXT[] NOT NULL DEFAULT '{}',
  "matched" INTEGER NOT NULL DEFAULT 0,
  "done" INTEGER NOT NULL DEFAULT 0,
  "skipped" JSONB NOT NULL DEFAULT '{}', -- by the code of the refusal
  "cancel_asked" BOOLEAN NOT NULL DEFAULT false,
  "operation_run_id" INTEGER,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "dead_letter_bulk_act_pkey" PRIMARY KEY ("bulk_act_id"),
  CHECK ((status = 'completed') = (outcome IS NOT NULL))
);
CREATE INDEX "dead_letter_bulk_act_open_idx" ON "dead_letter_bulk_act" ("created_at") WHERE status <> 'completed';

-- What failed before this migration. The owner passes the wall only where it is not forced.
ALTER TABLE "delivery" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "delivery_dead" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "delivery_due" NO FORCE ROW LEVEL SECURITY;
UPDATE "delivery_dead" l SET error_tag = coalesce(d.error_tag, d.reason, 'unknown')
FROM "delivery" d WHERE d.lane = l.lane AND d.position = l.position AND d.replay_no = l.replay_no;
UPDATE "delivery_due" q SET failed_at = d.attempted_at, error_tag = d.error_tag
FROM "delivery" d WHERE d.lane = q.lane AND d.position = q.position AND d.replay_no = q.replay_no
  AND d.error_tag IS NOT NULL AND d.attempted_at IS NOT NULL AND d.reason IS NULL;
INSERT INTO "delivery_cancelled" (orgcode, ended_at, lane, position, replay_no, reason)
SELECT orgcode, coalesce(attempted_at, created_at), lane, position, replay_no, coalesce(reason, 'unknown') FROM "delivery" WHERE status = 'cancelled';
ALTER TABLE "delivery" FORCE ROW LEVEL SECURITY;
ALTER TABLE "delivery_dead" FORCE ROW LEVEL SECURITY;
ALTER TABLE "delivery_due" FORCE ROW LEVEL SECURITY;

CREATE INDEX "delivery_dead_newest_idx" ON "delivery_dead" ("died_at", "lane", "position", "replay_no", "error_tag");
CREATE INDEX "delivery_dead_error_tag_idx" ON "delivery_dead" ("error_tag", "died_at", "lane", "position", "replay_no");
CREATE INDEX "delivery_cancelled_newest_idx" ON "delivery_cancelled" ("ended_at", "lane", "position", "replay_no", "reason");
CREATE INDEX "delivery_due_failed_idx" ON "delivery_due" ("failed_at", "lane", "position", "replay_no", "error_tag") WHERE failed_at IS NOT NULL;

SELECT ipm_raise_tenant_wall(t) FROM unnest(ARRAY['delivery_cancelled', 'dead_letter_mark', 'dead_letter_act']::regclass[]) AS t;
GRANT SELECT, INSERT, DELETE ON "delivery_cancelled" TO ipm_system;
GRANT SELECT ON "delivery_cancelled" TO ipm_app;
GRANT SELECT, DELETE ON "dead_letter_mark", "dead_letter_act" TO ipm_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON "dead_letter_mark" TO ipm_app;
GRANT SELECT, INSERT ON "dead_letter_act" TO ipm_app;
GRANT INSERT ON "delivery" TO ipm_app;
GRANT SELECT, INSERT, UPDATE ON "dead_letter_bulk_act" TO ipm_system;

-- One delivery more of a dead letter, due now and linked to it; no number where it has one already. The dead letter must be locked: the
-- lane's lock only keeps its number apart from those of other replays.
CREATE FUNCTION ipm_replay_dead_letter(p_orgcode text, p_lane bigint, p_position bigint, p_replay_no integer, p_bulk_act_id uuid)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  new_no integer;
BEGIN
  PERFORM pg_advisory_xact_lock(4713, (p_lane % 2147483647)::integer);
  SELECT 1 + max(d.replay_no) INTO new_no FROM delivery d WHERE d.orgcode = p_orgcode AND d.lane = p_lane AND d.position = p_position;
  INSERT INTO dead_letter_mark AS m (orgcode, lane, position, replay_no, status, replayed_as, bulk_act_id)
  VALUES (p_orgcode, p_lane, p_position, p_replay_no, 'replayed', new_no, p_bulk_act_id)
  ON CONFLICT (lane, position, replay_no) DO UPDATE SET status = 'replayed', replayed_as = new_no, bulk_act_id = p_bulk_act_id,
    marked_at = clock_timestamp()
  WHERE m.replayed_as IS NULL;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  INSERT INTO delivery (orgcode, lane, position, replay_no, status) VALUES (p_orgcode, p_lane, p_position, new_no, 'scheduled');
  INSERT INTO delivery_due (orgcode, lane, due_at, position, replay_no) VALUES (p_orgcode, p_lane, clock_timestamp(), p_position, new_no);
  RETURN new_no;
END $$;
REVOKE EXECUTE ON FUNCTION ipm_replay_dead_letter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_replay_dead_letter TO ipm_app;

-- The functions around deliveries as they were, and beyond that: what failed is noted where it is listed, and a mark goes with what it
-- was set on.

-- A delivery that got through is no dead letter any more.
CREATE OR REPLACE FUNCTION ipm_settle_delivered(
  p_lanes bigint[], p_positions bigint[], p_replay_nos integer[], p_fences bigint[], p_attempts smallint[], p_http_statuses smallint[],
  p_durations_ms integer[], p_ordered boolean, p_finished_leases bigint[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  ours bigint;
BEGIN
  UPDATE delivery d SET status = 'delivered', attempts = u.attempts, http_status = u.http_status, duration_ms = u.duration_ms,
    error_tag = NULL, excerpt = NULL, attempted_at = clock_timestamp()
  FROM unnest(p_lanes, p_positions, p_replay_nos, p_fences, p_attempts, p_http_statuses, p_durations_ms)
    AS u(lane, position, replay_no, fence, attempts, http_status, duration_ms)
  CROSS JOIN LATERAL (
    SELECT ctid AS row_id FROM delivery x
    WHERE x.lane = u.lane AND x.position = u.position AND x.replay_no = u.replay_no AND x.fence = u.fence AND x.status = 'sending' LIMIT 1) r
  WHERE d.ctid = r.row_id;
  GET DIAGNOSTICS ours = ROW_COUNT;
  IF 1 < ANY(p_attempts) THEN -- only what has failed before may have a mark
    DELETE FROM dead_letter_mark WHERE ctid = ANY(ARRAY(
      SELECT m.row_id FROM unnest(p_lanes, p_positions, p_replay_nos, p_attempts) AS u(lane, position, replay_no, attempts)
      CROSS JOIN LATERAL (
        SELECT ctid AS row_id FROM dead_letter_mark y WHERE y.lane = u.lane AND y.position = u.position AND y.replay_no = u.replay_no LIMIT 1) m
      CROSS JOIN LATERAL (
        SELECT status FROM delivery x WHERE x.lane = u.lane AND x.position = u.position AND x.replay_no = u.replay_no LIMIT 1) d
      WHERE u.attempts > 1 AND d.status = 'delivered'));
  END IF;
  IF p_ordered THEN
    PERFORM ipm_free_keys(array_agg(d.lane), array_agg(d.position), array_agg(d.replay_no), array_agg(d.ordering_key))
    FROM unnest(p_lanes, p_positions, p_replay_nos) AS u(lane, position, replay_no)
    JOIN delivery d USING (lane, position, replay_no) WHERE d.ordering_key IS NOT NULL AND d.status = 'delivered';
  END IF;
  DELETE FROM delivery_lease WHERE lease = ANY(p_finished_leases);
  RETURN ours;
END $$;

CREATE OR REPLACE FUNCTION ipm_settle_waiting(
  p_lanes bigint[], p_positions bigint[], p_replay_nos integer[], p_fences bigint[], p_attempts smallint[], p_http_statuses smallint[],
  p_durations_ms integer[], p_error_tags text[], p_excerpts text[], p_after_ms bigint[], p_pass boolean[],
  p_finished_leases bigint[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  ours bigint;
BEGIN
  WITH input AS MATERIALIZED (
    SELECT * FROM unnest(p_lanes, p_positions, p_replay_nos, p_fences, p_attempts, p_http_statuses, p_durations_ms, p_error_tags, p_excerpts, p_after_ms)
      AS u(lane, position, replay_no, fence, attempts, http_status, duration_ms, error_tag, excerpt, after_ms)
  ), settled AS (
    UPDATE delivery d SET status = 'scheduled', attempts = u.attempts,
      http_status = CASE WHEN u.error_tag IS NULL THEN d.http_status ELSE u.http_status END,
      duration_ms = coalesce(u.duration_ms, d.duration_ms), error_tag = coalesce(u.error_tag, d.error_tag),
      excerpt = CASE WHEN u.error_tag IS NULL THEN d.excerpt ELSE u.excerpt END,
      attempted_at = CASE WHEN u.error_tag IS NULL THEN d.attempted_at ELSE clock_timestamp() END
    FROM input u
    CROSS JOIN LATERAL (
      SELECT ctid AS row_id FROM delivery x
      WHERE x.lane = u.lane AND x.position = u.position AND x.replay_no = u.replay_no AND x.fence = u.fence AND x.status = 'sending' LIMIT 1) r
    WHERE d.ctid = r.row_id
    RETURNING d.orgcode, d.lane, d.position, d.replay_no, d.lost_with, d.attempted_at, u.attempts, u.http_status, u.duration_ms,
      u.error_tag, u.excerpt, u.after_ms, CASE WHEN d.reason IS NULL THEN d.error_tag END AS failed_with
  ), noted AS (
    INSERT INTO delivery_attempt (orgcode, lane, position, replay_no, attempt, at, duration_ms, http_status, error_tag, excerpt)
    SELECT orgcode, lane, position, replay_no, attempts, attempted_at, duration_ms, http_status, error_tag, excerpt
    FROM settled WHERE error_tag IS NOT NULL ON CONFLICT DO NOTHING
  ), due AS (
    INSERT INTO delivery_due (orgcode, lane, due_at, position, replay_no, suspect, failed_at, error_tag)
    SELECT orgcode, lane, clock_timestamp() + after_ms * interval '1 millisecond', position, replay_no, lost_with > 1,
      CASE WHEN failed_with IS NOT NULL THEN attempted_at END, failed_with FROM settled
  )
  SELECT count(*) INTO ours FROM settled;
  IF true = ANY(p_pass) THEN
    PERFORM ipm_free_keys(array_agg(d.lane), array_agg(d.position), array_agg(d.replay_no), array_agg(d.ordering_key))
    FROM unnest(p_lanes, p_positions, p_replay_nos, p_pass) AS u(lane, position, replay_no, pass)
    JOIN delivery d USING (lane, position, replay_no) WHERE u.pass AND d.ordering_key IS NOT NULL AND d.status = 'scheduled';
  END IF;
  DELETE FROM delivery_lease WHERE lease = ANY(p_finished_leases);
  RETURN ours;
END $$;

CREATE OR REPLACE FUNCTION ipm_settle_dead(
  p_orgcode text, p_lanes bigint[], p_positions bigint[], p_replay_nos integer[], p_fences bigint[], p_attempts smallint[],
  p_http_statuses smallint[], p_durations_ms integer[], p_error_tags text[], p_excerpts text[], p_reasons text[])
RETURNS TABLE (lane bigint, "position" bigint, "replayNo" integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH dead AS (
      UPDATE delivery d SET status = 'dead', attempts = u.attempts, http_status = u.http_status,
        duration_ms = coalesce(u.duration_ms, d.duration_ms), error_tag = u.error_tag, excerpt = u.excerpt, reason = u.reason,
        attempted_at = CASE WHEN u.duration_ms IS NULL THEN d.attempted_at ELSE clock_timestamp() END
      FROM unnest(p_lanes, p_positions, p_replay_nos, p_fences, p_attempts, p_http_statuses, p_durations_ms, p_error_tags, p_excerpts, p_reasons)
        AS u(lane, position, replay_no, fence, attempts, http_status, duration_ms, error_tag, excerpt, reason)
      CROSS JOIN LATERAL (
        SELECT ctid AS row_id FROM delivery x
        WHERE x.lane = u.lane AND x.position = u.position AND x.replay_no = u.replay_no AND x.fence = u.fence AND x.status = 'sending'
          AND x.orgcode = p_orgcode LIMIT 1) r
      WHERE d.ctid = r.row_id
      RETURNING d.*, u.duration_ms AS took_ms
    ), noted AS (
      INSERT INTO delivery_attempt (orgcode, lane, position, replay_no, attempt, at, duration_ms, http_status, error_tag, excerpt)
      SELECT orgcode, lane, position, replay_no, attempts, attempted_at, took_ms, http_status, error_tag, excerpt
      FROM dead WHERE took_ms IS NOT NULL ON CONFLICT DO NOTHING
    ), listed AS (
      INSERT INTO delivery_dead (orgcode, lane, position, replay_no, error_tag)
      SELECT orgcode, lane, position, replay_no, coalesce(error_tag, reason, 'unknown') FROM dead ON CONFLICT DO NOTHING
    )
    SELECT lane, position, replay_no FROM dead;
END $$;

CREATE OR REPLACE FUNCTION ipm_recover_deliveries(p_at_most integer) RETURNS TABLE (lane bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH expired AS MATERIALIZED (
      SELECT lease FROM delivery_lease WHERE lease_until < clock_timestamp() ORDER BY lease LIMIT p_at_most FOR UPDATE SKIP LOCKED
    ), ended AS (
      DELETE FROM delivery_lease l USING expired WHERE l.lease = expired.lease RETURNING l.*
    ), given_back AS (
      UPDATE delivery d SET status = 'scheduled', lost_with = d.lost_with + 1
      FROM ended CROSS JOIN LATERAL unnest(ended.lanes, ended.positions, ended.replay_nos) AS u(lane, position, replay_no)
      CROSS JOIN LATERAL (
        SELECT ctid AS row_id FROM delivery x
        WHERE x.lane = u.lane AND x.position = u.position AND x.replay_no = u.replay_no AND x.fence = ended.lease AND x.status = 'sending' LIMIT 1) r
      WHERE d.ctid = r.row_id
      RETURNING d.orgcode, d.lane, d.position, d.replay_no, d.lost_with, d.attempted_at, CASE WHEN d.reason IS NULL THEN d.error_tag END AS failed_with
    ), due AS (
      INSERT INTO delivery_due (orgcode, lane, due_at, position, replay_no, suspect, failed_at, error_tag)
      SELECT orgcode, lane, clock_timestamp(), position, replay_no, lost_with > 1, CASE WHEN failed_with IS NOT NULL THEN attempted_at END, failed_with
      FROM given_back
    )
    SELECT DISTINCT lane FROM given_back;
END $$;

CREATE OR REPLACE FUNCTION ipm_cancel_deliveries(p_lane bigint, p_reason text, p_at_most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  cancelled bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(4713, (p_lane % 2147483647)::integer);
  WITH waiting AS (
    DELETE FROM delivery_waiting WHERE ctid = ANY(ARRAY(SELECT ctid FROM delivery_waiting WHERE lane = p_lane LIMIT p_at_most))
    RETURNING position, replay_no
  ), due AS (
    DELETE FROM delivery_due WHERE NOT EXISTS (SELECT FROM delivery_waiting WHERE lane = p_lane)
      AND ctid = ANY(ARRAY(SELECT ctid FROM delivery_due WHERE lane = p_lane LIMIT p_at_most FOR UPDATE SKIP LOCKED))
    RETURNING position, replay_no
  ), ended AS (
    UPDATE delivery d SET status = 'cancelled', reason = p_reason
    FROM (SELECT * FROM waiting UNION ALL SELECT * FROM due) g
    WHERE d.lane = p_lane AND d.position = g.position AND d.replay_no = g.replay_no AND d.status = 'scheduled'
    RETURNING d.orgcode, d.lane, d.position, d.replay_no
  ), listed AS (
    INSERT INTO delivery_cancelled (orgcode, lane, position, replay_no, reason)
    SELECT orgcode, lane, position, replay_no, p_reason FROM ended ON CONFLICT DO NOTHING
  )
  SELECT count(*) INTO cancelled FROM ended;
  DELETE FROM delivery_key k WHERE k.lane = p_lane AND NOT EXISTS (SELECT FROM delivery_waiting WHERE lane = p_lane);
  RETURN cancelled;
END $$;

CREATE OR REPLACE FUNCTION ipm_prune_deliveries(p_at_most integer, p_tally_days integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  pruned bigint := 0;
  here bigint;
  gone record;
BEGIN
  DELETE FROM delivery_tally WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM delivery_tally WHERE from_time < clock_timestamp() - make_interval(days => p_tally_days) LIMIT p_at_most));
  FOR gone IN SELECT w.lane, h.dropped_to FROM webhook w JOIN org_head h USING (orgcode) WHERE h.dropped_to > 0 ORDER BY w.lane LOOP
    EXIT WHEN pruned >= p_at_most;
    DELETE FROM delivery_attempt WHERE lane = gone.lane AND position <= gone.dropped_to;
    DELETE FROM delivery_dead WHERE lane = gone.lane AND position <= gone.dropped_to;
    DELETE FROM delivery_cancelled WHERE lane = gone.lane AND position <= gone.dropped_to;
    DELETE FROM dead_letter_act WHERE lane = gone.lane AND position <= gone.dropped_to;
    DELETE FROM dead_letter_mark WHERE lane = gone.lane AND position <= gone.dropped_to;
    DELETE FROM delivery WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM delivery WHERE lane = gone.lane AND position <= gone.dropped_to AND status IN ('delivered', 'dead', 'cancelled')
      LIMIT p_at_most - pruned));
    GET DIAGNOSTICS here = ROW_COUNT;
    pruned := pruned + here;
  END LOOP;
  RETURN pruned;
END $$;
