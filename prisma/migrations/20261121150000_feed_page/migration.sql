-- A page of the feed where everything passes, in one round trip and without being planned anew each time: both cost more than
-- reading the rows. One statement, so that the log's end and what was found hold at one instant. Runs with the caller's rights,
-- behind the wall.
CREATE FUNCTION ipm_feed_page(p_orgcode text, p_after bigint, p_before bigint, p_limit integer)
RETURNS TABLE (head bigint, "droppedTo" bigint, "position" bigint, "recordedAt" timestamptz, envelope text, service text,
  "logicalGuid" text, "channelCode" text, "occurredMicros" bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = 'force_generic_plan' AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT ends.head, ends.dropped_to, e.position, e.recorded_at, e.envelope, e.service, e.logical_guid, e.channel_code,
      (extract(epoch from e.occurred_at) * 1000000)::bigint
    FROM (
      SELECT coalesce(max(h.position), 0) AS head, coalesce(max(h.dropped_to), 0) AS dropped_to
      FROM org_head h WHERE h.orgcode = p_orgcode) ends
    LEFT JOIN LATERAL (
      SELECT * FROM event l WHERE l.orgcode = p_orgcode AND l.position > p_after AND l.position < p_before
      ORDER BY l.position LIMIT p_limit) e ON true
    ORDER BY e.position;
END $$;
REVOKE EXECUTE ON FUNCTION ipm_feed_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_feed_page TO ipm_app, ipm_system;
