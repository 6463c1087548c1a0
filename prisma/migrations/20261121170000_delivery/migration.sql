-- What follows from an event and a webhook that wants it. The key is the lane (a webhook), the event's position and a number that is 0
-- for the first delivery and counts replays. No column that changes stands in an index, so that a settled delivery is a new version on
-- its own page and nothing else (docs/decisions/0011): what waits stands in delivery_due, what is dead in delivery_dead.
CREATE TYPE delivery_status AS ENUM ('scheduled', 'sending', 'delivered', 'dead', 'cancelled');

CREATE TABLE "delivery" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL DEFAULT 0,
  "status" delivery_status NOT NULL,
  "attempts" SMALLINT NOT NULL DEFAULT 0,
  "lost_with" SMALLINT NOT NULL DEFAULT 0, -- workers that were lost while they had it
  "fence" BIGINT, -- the lease under which it is or was last sent
  "http_status" SMALLINT, -- these of the last attempt
  "duration_ms" INTEGER,
  "error_tag" TEXT,
  "excerpt" TEXT,
  "reason" TEXT, -- why it is dead or cancelled; 'retried' once it was sent again by hand
  "ordering_key" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "attempted_at" TIMESTAMPTZ(3),
  CONSTRAINT "delivery_pkey" PRIMARY KEY ("lane", "position", "replay_no")
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- Failed attempts; of one that succeeded all is on the delivery.
CREATE TABLE "delivery_attempt" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL,
  "attempt" SMALLINT NOT NULL,
  "at" TIMESTAMPTZ(3) NOT NULL,
  "duration_ms" INTEGER NOT NULL,
  "http_status" SMALLINT,
  "error_tag" TEXT NOT NULL,
  "excerpt" TEXT,
  CONSTRAINT "delivery_attempt_pkey" PRIMARY KEY ("lane", "position", "replay_no", "attempt")
);

-- The queue: a row for each delivery that waits for its time, deleted when it is claimed. Small, because most never wait.
CREATE TABLE "delivery_due" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "due_at" TIMESTAMPTZ(3) NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL,
  "suspect" BOOLEAN NOT NULL DEFAULT false, -- workers were lost with it more than once: sent alone
  CONSTRAINT "delivery_due_pkey" PRIMARY KEY ("lane", "due_at", "position", "replay_no")
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX "delivery_due_suspect_idx" ON "delivery_due" ("due_at") WHERE suspect;

-- One row for a batch that a worker has, however many deliveries: deleted with the last of them, found here when the worker is lost.
CREATE TABLE "delivery_lease" (
  "lease" BIGSERIAL NOT NULL,
  "lanes" BIGINT[] NOT NULL,
  "positions" BIGINT[] NOT NULL,
  "replay_nos" INTEGER[] NOT NULL,
  "lease_until" TIMESTAMPTZ(3) NOT NULL,
  "worker" TEXT NOT NULL,
  CONSTRAINT "delivery_lease_pkey" PRIMARY KEY ("lease")
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE "delivery_dead" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "died_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "lane" BIGINT NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL,
  CONSTRAINT "delivery_dead_pkey" PRIMARY KEY ("lane", "position", "replay_no")
);
CREATE INDEX "delivery_dead_orgcode_died_at_idx" ON "delivery_dead" ("orgcode", "died_at" DESC);

-- Webhooks that keep the order of keys: of each key one delivery is on its way, and the others wait here.
CREATE TABLE "delivery_key" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "ordering_key" TEXT NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL,
  CONSTRAINT "delivery_key_pkey" PRIMARY KEY ("lane", "ordering_key")
);
CREATE TABLE "delivery_waiting" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "ordering_key" TEXT NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL,
  CONSTRAINT "delivery_waiting_pkey" PRIMARY KEY ("lane", "ordering_key", "position", "replay_no")
);

-- How a lane fared in each five minutes: attempts by outcome, and how old events were when they arrived. `ages` counts by class of age,
-- whose bounds src/delivery/age-classes.ts has.
CREATE TABLE "delivery_tally" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "from_time" TIMESTAMPTZ(3) NOT NULL,
  "delivered" INTEGER NOT NULL DEFAULT 0,
  "failed" INTEGER NOT NULL DEFAULT 0,
  "dead" INTEGER NOT NULL DEFAULT 0,
  "ages" INTEGER[] NOT NULL,
  CONSTRAINT "delivery_tally_pkey" PRIMARY KEY ("lane", "from_time")
) WITH (fillfactor = 50);

SELECT ipm_raise_tenant_wall(t) FROM unnest(ARRAY['delivery', 'delivery_attempt', 'delivery_due', 'delivery_dead', 'delivery_key',
  'delivery_waiting', 'delivery_tally']::regclass[]) AS t;

-- Writes the deliveries that follow from events, each once: those the caller will send at once under one lease, the others to wait.
-- Answers the lease, or null where there is none. Ordered ones are never sent at once: of each key the first is due.
CREATE FUNCTION ipm_insert_deliveries(
  p_orgcode text, p_lanes bigint[], p_positions bigint[], p_keys text[], p_at_once boolean[], p_lease_seconds integer, p_worker text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  new_lease bigint;
  wanted bigint := (SELECT count(*) FROM unnest(p_at_once) a WHERE a);
  ours bigint;
BEGIN
  IF wanted > 0 THEN
    new_lease := nextval('delivery_lease_lease_seq');
  END IF;
  WITH input AS (
    SELECT * FROM unnest(p_lanes, p_positions, p_keys, p_at_once) AS u(lane, position, ordering_key, at_once)
  ), inserted AS (
    INSERT INTO delivery (orgcode, lane, position, status, fence, ordering_key)
    SELECT p_orgcode, lane, position, CASE WHEN at_once THEN 'sending'::delivery_status ELSE 'scheduled' END,
      CASE WHEN at_once THEN new_lease END, ordering_key
    FROM input ON CONFLICT DO NOTHING
    RETURNING lane, position, ordering_key, status
  ), due AS (
    INSERT INTO delivery_due (orgcode, lane, due_at, position, replay_no)
    SELECT p_orgcode, lane, clock_timestamp(), position, 0 FROM inserted WHERE status = 'scheduled' AND ordering_key IS NULL
  )
  SELECT count(*) FILTER (WHERE status = 'sending') INTO ours FROM inserted;
  IF ours > 0 THEN
    INSERT INTO delivery_lease (lease, lanes, positions, replay_nos, lease_until, worker)
    SELECT new_lease, array_agg(lane), array_agg(position), array_agg(0),
      clock_timestamp() + make_interval(secs => p_lease_seconds), p_worker
    FROM unnest(p_lanes, p_positions, p_at_once) AS u(lane, position, at_once) WHERE at_once;
  END IF;
  RETURN CASE WHEN ours = wanted THEN new_lease END; -- else somebody has some of them: the lease runs out, and they are sent after it
END $$;

-- The rest of it for webhooks that keep an order. The lane's lock keeps it apart from who frees a key.
CREATE FUNCTION ipm_queue_ordered(p_orgcode text, p_lanes bigint[], p_positions bigint[], p_keys text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(4713, (lane % 2147483647)::integer) FROM (SELECT DISTINCT unnest(p_lanes) AS lane ORDER BY 1) l;
  WITH input AS (
    SELECT u.* FROM unnest(p_lanes, p_positions, p_keys) AS u(lane, position, ordering_key)
  ), heads AS (
    INSERT INTO delivery_key (orgcode, lane, ordering_key, position, replay_no)
    SELECT DISTINCT ON (lane, ordering_key) p_orgcode, lane, ordering_key, position, 0 FROM input ORDER BY lane, ordering_key, position
    ON CONFLICT DO NOTHING
    RETURNING lane, position
  ), due AS (
    INSERT INTO delivery_due (orgcode, lane, due_at, position, replay_no)
    SELECT p_orgcode, lane, clock_timestamp(), position, 0 FROM heads
  )
  INSERT INTO delivery_waiting (orgcode, lane, ordering_key, position, replay_no)
  SELECT p_orgcode, lane, ordering_key, position, 0 FROM input i
  WHERE NOT EXISTS (SELECT FROM heads h WHERE h.lane = i.lane AND h.position = i.position);
END $$;

-- The next of each key whose head has come to its end.
CREATE FUNCTION ipm_free_keys(p_lanes bigint[], p_positions bigint[], p_replay_nos integer[], p_keys text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  freed record;
  next record;
BEGIN
  PERFORM pg_advisory_xact_lock(4713, (lane % 2147483647)::integer) FROM (SELECT DISTINCT unnest(p_lanes) AS lane ORDER BY 1) l;
  FOR freed IN -- none where the arrays are null
    SELECT k.* FROM unnest(p_lanes, p_positions, p_replay_nos, p_keys) AS u(lane, position, replay_no, ordering_key)
    JOIN delivery_key k USING (lane, ordering_key, position, replay_no)
  LOOP
    SELECT * INTO next FROM delivery_waiting w WHERE w.lane = freed.lane AND w.ordering_key = freed.ordering_key
    ORDER BY w.position, w.replay_no LIMIT 1;
    IF NOT FOUND THEN
      DELETE FROM delivery_key k WHERE k.lane = freed.lane AND k.ordering_key = freed.ordering_key;
      CONTINUE;
    END IF;
    DELETE FROM delivery_waiting w WHERE w.lane = next.lane AND w.ordering_key = next.ordering_key AND w.position = next.position
      AND w.replay_no = next.replay_no;
    UPDATE delivery_key k SET position = next.position, replay_no = next.replay_no
    WHERE k.lane = next.lane AND k.ordering_key = next.ordering_key;
    INSERT INTO delivery_due (orgcode, lane, due_at, position, replay_no)
    VALUES (freed.orgcode, next.lane, clock_timestamp(), next.position, next.replay_no);
  END LOOP;
END $$;

ALTER TABLE "webhook_health" ADD COLUMN "rate_from" TIMESTAMPTZ(3); -- since when calls are saved up, a second's worth at most
ALTER TABLE "webhook" ADD COLUMN "active_since" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp();
CREATE INDEX "webhook_gaps_idx" ON "webhook" ("lane") WHERE status = 'active' AND gaps <> '[]';

-- How many calls lanes with a rate may make now, over all workers: a lane that another worker is reckoning with gets none.
CREATE FUNCTION ipm_limits_by_rate(p_lanes bigint[], p_limits integer[], p_rates integer[]) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
  limits integer[];
BEGIN
  INSERT INTO webhook_health (orgcode, lane)
  SELECT w.orgcode, w.lane FROM unnest(p_lanes, p_rates) AS u(lane, rate) JOIN webhook w USING (lane) WHERE u.rate IS NOT NULL
  ON CONFLICT DO NOTHING;
  SELECT array_agg(CASE
      WHEN u.rate IS NULL THEN u.at_most
      WHEN h.lane IS NULL THEN 0
      ELSE least(u.at_most, floor(u.rate * extract(epoch FROM
        clock_timestamp() - greatest(h.rate_from, clock_timestamp() - interval '1 second')))::integer) END ORDER BY u.n)
    INTO limits
  FROM unnest(p_lanes, p_limits, p_rates) WITH ORDINALITY AS u(lane, at_most, rate, n)
  LEFT JOIN LATERAL (
    SELECT x.lane, x.rate_from FROM webhook_health x WHERE x.lane = u.lane AND u.rate IS NOT NULL FOR UPDATE SKIP LOCKED) h ON true;
  RETURN limits;
END $$;

-- Takes what is due in several lanes at once, under one lease, with the events to send. Where workers were lost repeatedly, one
-- suspect at a time and nothing beside it. A lane whose endpoint fails is probed with one.
CREATE FUNCTION ipm_claim_deliveries(
  p_lanes bigint[], p_limits integer[], p_rates integer[], p_suspect boolean, p_lease_seconds integer, p_worker text)
RETURNS TABLE (lease bigint, orgcode text, lane bigint, "position" bigint, "replayNo" integer, attempts smallint, "lostWith" smallint,
  "orderingKey" text, "createdAt" timestamptz, "isRetried" boolean, "eventId" text, "occurredMicros" bigint, "recordedAt" timestamptz, envelope text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  new_lease bigint := nextval('delivery_lease_lease_seq');
BEGIN
  IF EXISTS (SELECT FROM unnest(p_rates) AS r WHERE r IS NOT NULL) THEN
    p_limits := ipm_limits_by_rate(p_lanes, p_limits, p_rates);
  END IF;
  RETURN QUERY
    WITH picked AS MATERIALIZED (
      SELECT d.row_id FROM unnest(p_lanes, p_limits) AS want(lane, at_most)
      JOIN webhook w ON w.lane = want.lane AND w.status = 'active'
      LEFT JOIN webhook_health h ON h.lane = want.lane
      CROSS JOIN LATERAL (
        SELECT ctid AS row_id FROM delivery_due q
        WHERE q.lane = want.lane AND q.due_at <= clock_timestamp() AND q.suspect = p_suspect
          AND (h.not_before IS NULL OR h.not_before <= clock_timestamp())
        ORDER BY q.due_at, q.position
        LIMIT CASE WHEN h.not_before IS NULL THEN want.at_most ELSE 1 END FOR UPDATE SKIP LOCKED) d
    ), taken AS (
      DELETE FROM delivery_due q USING picked WHERE q.ctid = picked.row_id RETURNING q.lane, q.position, q.replay_no
    ), leased AS (
      INSERT INTO delivery_lease (lease, lanes, positions, replay_nos, lease_until, worker)
      SELECT new_lease, array_agg(lane), array_agg(position), array_agg(replay_no),
        clock_timestamp() + make_interval(secs => p_lease_seconds), p_worker
      FROM taken HAVING count(*) > 0
    ), spent AS (
      UPDATE webhook_health h SET rate_from = greatest(h.rate_from, clock_timestamp() - interval '1 second') + t.taken * interval '1 second' / r.rate
      FROM unnest(p_lanes, p_rates) AS r(lane, rate) JOIN (SELECT lane, count(*) AS taken FROM taken GROUP BY lane) t USING (lane)
      WHERE h.lane = r.lane AND r.rate IS NOT NULL
    ), sending AS (
      UPDATE delivery d SET status = 'sending', fence = new_lease
      FROM taken t CROSS JOIN LATERAL (
        SELECT ctid AS row_id FROM delivery x
        WHERE x.lane = t.lane AND x.position = t.position AND x.replay_no = t.replay_no AND x.status = 'scheduled' LIMIT 1) r
      WHERE d.ctid = r.row_id
      RETURNING d.orgcode, d.lane, d.position, d.replay_no, d.attempts, d.lost_with, d.ordering_key, d.created_at, d.reason
    )
    SELECT new_lease, s.orgcode, s.lane, s.position, s.replay_no, s.attempts, s.lost_with, s.ordering_key, s.created_at, s.reason IS NOT NULL,
      e.event_id, (extract(epoch from e.occurred_at) * 1000000)::bigint, e.recorded_at, e.envelope
    FROM sending s LEFT JOIN LATERAL (
      SELECT * FROM event e WHERE e.orgcode = s.orgcode AND e.position = s.position LIMIT 1) e ON true
    ORDER BY s.lane, s.position;
END $$;

-- Both settle by key and fence: whoever's lease was taken over changes nothing. They answer how many were still theirs. The row is found
-- by its whole key under LIMIT 1 and joined by nothing but its place: a fence among the join's conditions made Postgres, before its first
-- statistics, join on it alone (48 s for 400 rows of 60,000).
CREATE FUNCTION ipm_settle_delivered(
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
  IF p_ordered THEN
    PERFORM ipm_free_keys(array_agg(d.lane), array_agg(d.position), array_agg(d.replay_no), array_agg(d.ordering_key))
    FROM unnest(p_lanes, p_positions, p_replay_nos) AS u(lane, position, replay_no)
    JOIN delivery d USING (lane, position, replay_no) WHERE d.ordering_key IS NOT NULL AND d.status = 'delivered';
  END IF;
  DELETE FROM delivery_lease WHERE lease = ANY(p_finished_leases);
  RETURN ours;
END $$;

-- To be sent again after a while: another attempt is left, or (no error_tag) it was given back unsent. `p_pass` lets the next of its
-- key go before it.
CREATE FUNCTION ipm_settle_waiting(
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
      u.error_tag, u.excerpt, u.after_ms
  ), noted AS (
    INSERT INTO delivery_attempt (orgcode, lane, position, replay_no, attempt, at, duration_ms, http_status, error_tag, excerpt)
    SELECT orgcode, lane, position, replay_no, attempts, attempted_at, duration_ms, http_status, error_tag, excerpt
    FROM settled WHERE error_tag IS NOT NULL ON CONFLICT DO NOTHING
  ), due AS (
    INSERT INTO delivery_due (orgcode, lane, due_at, position, replay_no, suspect)
    SELECT orgcode, lane, clock_timestamp() + after_ms * interval '1 millisecond', position, replay_no, lost_with > 1 FROM settled
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

-- For good: written in the organisation's own transaction, with the event that tells of it.
CREATE FUNCTION ipm_settle_dead(
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
      INSERT INTO delivery_dead (orgcode, lane, position, replay_no)
      SELECT orgcode, lane, position, replay_no FROM dead ON CONFLICT DO NOTHING
    )
    SELECT lane, position, replay_no FROM dead;
END $$;

-- Gives back what lost workers had. Answers the lanes that have work again.
CREATE FUNCTION ipm_recover_deliveries(p_at_most integer) RETURNS TABLE (lane bigint) LANGUAGE plpgsql AS $$
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
      RETURNING d.orgcode, d.lane, d.position, d.replay_no, d.lost_with
    ), due AS (
      INSERT INTO delivery_due (orgcode, lane, due_at, position, replay_no, suspect)
      SELECT orgcode, lane, clock_timestamp(), position, replay_no, lost_with > 1 FROM given_back
    )
    SELECT DISTINCT lane FROM given_back;
END $$;

-- Deliveries once more, each under the next number of its event: to be sent at once by the caller, or to wait.
CREATE FUNCTION ipm_insert_replays(
  p_orgcode text, p_lane bigint, p_positions bigint[], p_at_once boolean, p_lease_seconds integer, p_worker text)
RETURNS TABLE (lease bigint, "position" bigint, "replayNo" integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  new_lease bigint := CASE WHEN p_at_once THEN nextval('delivery_lease_lease_seq') END;
BEGIN
  PERFORM pg_advisory_xact_lock(4713, (p_lane % 2147483647)::integer);
  RETURN QUERY
    WITH numbered AS (
      SELECT u.position, 1 + coalesce((SELECT max(d.replay_no) FROM delivery d WHERE d.lane = p_lane AND d.position = u.position), 0) AS replay_no
      FROM unnest(p_positions) AS u(position)
    ), inserted AS (
      INSERT INTO delivery (orgcode, lane, position, replay_no, status, fence)
      SELECT p_orgcode, p_lane, position, replay_no, CASE WHEN p_at_once THEN 'sending'::delivery_status ELSE 'scheduled' END, new_lease
      FROM numbered RETURNING position, replay_no
    ), due AS (
      INSERT INTO delivery_due (orgcode, lane, due_at, position, replay_no)
      SELECT p_orgcode, p_lane, clock_timestamp(), position, replay_no FROM inserted WHERE NOT p_at_once
    ), leased AS (
      INSERT INTO delivery_lease (lease, lanes, positions, replay_nos, lease_until, worker)
      SELECT new_lease, array_agg(p_lane), array_agg(position), array_agg(replay_no),
        clock_timestamp() + make_interval(secs => p_lease_seconds), p_worker
      FROM inserted WHERE p_at_once HAVING count(*) > 0
    )
    SELECT new_lease, position, replay_no FROM inserted ORDER BY position;
END $$;

-- Ends what waits for a webhook that is revoked, some at a time. Answers how many.
CREATE FUNCTION ipm_cancel_deliveries(p_lane bigint, p_reason text, p_at_most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  cancelled bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(4713, (p_lane % 2147483647)::integer);
  WITH due AS (
    DELETE FROM delivery_due WHERE ctid = ANY(ARRAY(SELECT ctid FROM delivery_due WHERE lane = p_lane LIMIT p_at_most FOR UPDATE SKIP LOCKED))
    RETURNING position, replay_no
  ), waiting AS (
    DELETE FROM delivery_waiting WHERE ctid = ANY(ARRAY(SELECT ctid FROM delivery_waiting WHERE lane = p_lane LIMIT p_at_most))
    RETURNING position, replay_no
  )
  UPDATE delivery d SET status = 'cancelled', reason = p_reason
  FROM (SELECT * FROM due UNION ALL SELECT * FROM waiting) g
  WHERE d.lane = p_lane AND d.position = g.position AND d.replay_no = g.replay_no AND d.status = 'scheduled';
  GET DIAGNOSTICS cancelled = ROW_COUNT;
  DELETE FROM delivery_key WHERE lane = p_lane;
  RETURN cancelled;
END $$;

-- What a second of work says of lanes: into the tally of the five minutes, and into the health of those whose results are of the webhook's
-- present activation (a late failure must not pause it again). Failures count on until a success; `p_trailing` are those since the last one.
CREATE FUNCTION ipm_note_lanes(
  p_orgcodes text[], p_lanes bigint[], p_activations integer[], p_delivered integer[], p_failed integer[], p_dead integer[],
  p_counting integer[], p_trailing integer[], p_errors jsonb[], p_ages integer[], p_age_classes integer)
RETURNS TABLE (lane bigint, before integer, failures integer, "failingSince" timestamptz) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO delivery_tally AS t (orgcode, lane, from_time, delivered, failed, dead, ages)
  SELECT u.orgcode, u.lane, date_bin('5 minutes', clock_timestamp(), 'epoch'), u.delivered, u.failed, u.dead,
    p_ages[(u.n - 1) * p_age_classes + 1 : u.n * p_age_classes]
  FROM unnest(p_orgcodes, p_lanes, p_delivered, p_failed, p_dead) WITH ORDINALITY AS u(orgcode, lane, delivered, failed, dead, n)
  ORDER BY u.lane
  ON CONFLICT (lane, from_time) DO UPDATE SET delivered = t.delivered + excluded.delivered, failed = t.failed + excluded.failed,
    dead = t.dead + excluded.dead,
    ages = (SELECT array_agg(a.old + a.new ORDER BY a.n) FROM unnest(t.ages, excluded.ages) WITH ORDINALITY AS a(old, new, n));
  RETURN QUERY
    WITH input AS (
      SELECT u.*, coalesce(h.consecutive_failures, 0) AS before
      FROM unnest(p_orgcodes, p_lanes, p_activations, p_delivered, p_counting, p_trailing, p_errors)
        AS u(orgcode, lane, activation, delivered, failed, since_success, error)
      JOIN webhook w ON w.lane = u.lane AND w.activation = u.activation AND w.status = 'active'
      LEFT JOIN webhook_health h ON h.lane = u.lane
      WHERE u.delivered > 0 OR u.failed > 0 ORDER BY u.lane
    ), noted AS (
      INSERT INTO webhook_health AS h (orgcode, lane, consecutive_failures, failing_since, last_success_at, last_failure_at, last_error)
      SELECT orgcode, lane, CASE WHEN delivered > 0 THEN since_success ELSE failed END,
        CASE WHEN since_success > 0 OR delivered = 0 THEN clock_timestamp() END,
        CASE WHEN delivered > 0 THEN clock_timestamp() END, CASE WHEN failed > 0 THEN clock_timestamp() END, error
      FROM input
      ON CONFLICT (lane) DO UPDATE SET
        consecutive_failures = CASE WHEN excluded.last_success_at IS NULL THEN h.consecutive_failures ELSE 0 END + excluded.consecutive_failures,
        failing_since = CASE WHEN excluded.last_success_at IS NULL THEN coalesce(h.failing_since, excluded.failing_since) ELSE excluded.failing_since END,
        last_success_at = coalesce(excluded.last_success_at, h.last_success_at),
        last_failure_at = coalesce(excluded.last_failure_at, h.last_failure_at),
        last_error = coalesce(excluded.last_error, h.last_error),
        not_before = CASE WHEN excluded.last_success_at IS NULL THEN h.not_before END
      RETURNING h.lane, h.consecutive_failures, h.failing_since
    )
    SELECT n.lane, i.before, n.consecutive_failures, n.failing_since FROM noted n JOIN input i USING (lane);
END $$;

REVOKE EXECUTE ON FUNCTION ipm_insert_deliveries, ipm_queue_ordered, ipm_free_keys, ipm_claim_deliveries, ipm_settle_delivered,
  ipm_settle_waiting, ipm_settle_dead, ipm_recover_deliveries, ipm_insert_replays, ipm_cancel_deliveries, ipm_note_lanes,
  ipm_limits_by_rate FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_insert_deliveries, ipm_queue_ordered, ipm_free_keys, ipm_claim_deliveries, ipm_settle_delivered,
  ipm_settle_waiting, ipm_recover_deliveries, ipm_insert_replays, ipm_cancel_deliveries, ipm_note_lanes,
  ipm_limits_by_rate TO ipm_system;
GRANT EXECUTE ON FUNCTION ipm_settle_dead TO ipm_system, ipm_app;
GRANT EXECUTE ON FUNCTION ipm_free_keys TO ipm_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "delivery", "delivery_due", "delivery_lease", "delivery_dead", "delivery_key", "delivery_waiting"
  TO ipm_system;
GRANT SELECT, INSERT ON "delivery_attempt" TO ipm_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON "delivery_tally" TO ipm_system;
GRANT USAGE ON SEQUENCE "delivery_lease_lease_seq" TO ipm_system;
GRANT SELECT, UPDATE ON "delivery" TO ipm_app;
GRANT SELECT, INSERT, DELETE ON "delivery_due", "delivery_dead" TO ipm_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "delivery_key", "delivery_waiting" TO ipm_app;
GRANT SELECT, INSERT ON "delivery_attempt" TO ipm_app;
GRANT SELECT ON "delivery_tally" TO ipm_app;

-- Forgets deliveries of events that retention has dropped, some at a time; what is open is ended first, by who claims it. Answers how many.
CREATE FUNCTION ipm_prune_deliveries(p_at_most integer, p_tally_days integer) RETURNS bigint LANGUAGE plpgsql AS $$
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
    DELETE FROM delivery WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM delivery WHERE lane = gone.lane AND position <= gone.dropped_to AND status IN ('delivered', 'dead', 'cancelled')
      LIMIT p_at_most - pruned));
    GET DIAGNOSTICS here = ROW_COUNT;
    pruned := pruned + here;
  END LOOP;
  RETURN pruned;
END $$;
REVOKE EXECUTE ON FUNCTION ipm_prune_deliveries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_prune_deliveries TO ipm_system;
GRANT DELETE ON "delivery_attempt" TO ipm_system;
