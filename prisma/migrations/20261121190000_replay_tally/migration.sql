-- What a replay has put into the queue and has not seen the end of: some thousand at most, however large the replay and its lane are.
CREATE TABLE "webhook_replay_item" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "replay_id" TEXT COLLATE "C" NOT NULL,
  "lane" BIGINT NOT NULL,
  "position" BIGINT NOT NULL,
  "replay_no" INTEGER NOT NULL,
  CONSTRAINT "webhook_replay_item_pkey" PRIMARY KEY ("orgcode", "replay_id", "position")
);

SELECT ipm_raise_tenant_wall('webhook_replay_item');
GRANT SELECT, INSERT, DELETE ON "webhook_replay_item" TO ipm_system;

-- Counts what has come to its end since the last time. Answers how many have not.
CREATE FUNCTION ipm_tally_replay(p_orgcode text, p_replay_id text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  WITH ends AS (
    SELECT i.position, d.status FROM webhook_replay_item i LEFT JOIN LATERAL (
      SELECT status FROM delivery x WHERE x.lane = i.lane AND x.position = i.position AND x.replay_no = i.replay_no LIMIT 1) d ON true
    WHERE i.orgcode = p_orgcode AND i.replay_id = p_replay_id AND (d.status IS NULL OR d.status IN ('delivered', 'dead', 'cancelled'))
  ), gone AS (
    DELETE FROM webhook_replay_item i USING ends
    WHERE i.orgcode = p_orgcode AND i.replay_id = p_replay_id AND i.position = ends.position RETURNING ends.status
  )
  UPDATE webhook_replay r SET delivered = r.delivered + g.delivered, failed = r.failed + g.failed, updated_at = clock_timestamp()
  FROM (SELECT count(*) FILTER (WHERE status = 'delivered') AS delivered, count(*) FILTER (WHERE status IS DISTINCT FROM 'delivered') AS failed
    FROM gone) g
  WHERE r.orgcode = p_orgcode AND r.replay_id = p_replay_id;
  RETURN (SELECT count(*) FROM webhook_replay_item WHERE orgcode = p_orgcode AND replay_id = p_replay_id);
END $$;
REVOKE EXECUTE ON FUNCTION ipm_tally_replay FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_tally_replay TO ipm_system;

-- Ends what waits for a webhook that is revoked, some at a time: first what waits for others of its key, because the lane is found by what
-- is due. Answers how many.
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
  )
  UPDATE delivery d SET status = 'cancelled', reason = p_reason
  FROM (SELECT * FROM waiting UNION ALL SELECT * FROM due) g
  WHERE d.lane = p_lane AND d.position = g.position AND d.replay_no = g.replay_no AND d.status = 'scheduled';
  GET DIAGNOSTICS cancelled = ROW_COUNT;
  DELETE FROM delivery_key k WHERE k.lane = p_lane AND NOT EXISTS (SELECT FROM delivery_waiting WHERE lane = p_lane);
  RETURN cancelled;
END $$;
