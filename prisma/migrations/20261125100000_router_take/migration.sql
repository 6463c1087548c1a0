-- The next events of an organisation with its cursor, which is the caller's to the end of its transaction: one round trip instead of two.
-- No row where another router has the cursor, nobody consumes, or nothing is to be routed; one without an event where retention was first.
-- Each statement in it sees what was committed before it: the events are read behind the lock.
CREATE FUNCTION ipm_take_events(p_orgcode text, p_limit integer)
RETURNS TABLE ("after" bigint, "head" bigint, "position" bigint, "eventId" text, "service" text, "action" text, "recordedAt" timestamptz,
  "occurredMicros" bigint, "logicalGuid" text, "channelCode" text, "pushed" boolean, "envelope" text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_after bigint;
  v_head bigint;
BEGIN
  SELECT c.position INTO v_after FROM router_cursor c WHERE c.orgcode = p_orgcode FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT h.position INTO v_head FROM org_head h WHERE h.orgcode = p_orgcode;
  IF v_head IS NULL OR v_head <= v_after THEN
    RETURN;
  END IF;
  RETURN QUERY
    SELECT v_after, v_head, e.position, e.event_id, e.service, e.action, e.recorded_at,
      (extract(epoch from e.occurred_at) * 1000000)::bigint, e.logical_guid, e.channel_code, e.pushed, e.envelope
    FROM event e WHERE e.orgcode = p_orgcode AND e.position > v_after AND e.position <= v_head ORDER BY e.position LIMIT p_limit;
  IF NOT FOUND THEN
    RETURN QUERY SELECT v_after, v_head, null::bigint, null, null, null, null::timestamptz, null::bigint, null, null, null::boolean, null;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION ipm_take_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_take_events TO ipm_system;
