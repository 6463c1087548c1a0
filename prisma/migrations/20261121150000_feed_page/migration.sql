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

-- The same with filters, where null lets everything pass, looking at no more than p_scan_limit events. The filters stand on columns
-- that the key carries, so that what does not pass is not fetched.
CREATE FUNCTION ipm_feed_filtered_page(
  p_orgcode text, p_after bigint, p_before bigint, p_limit integer, p_scan_limit integer, p_service text, p_logical_guid text,
  p_channel_code text, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (head bigint, "droppedTo" bigint, scanned integer, "scannedTo" bigint, "position" bigint, "recordedAt" timestamptz,
  envelope text, service text, "logicalGuid" text, "channelCode" text, "occurredMicros" bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = 'force_generic_plan' AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH hits AS MATERIALIZED (
      SELECT position FROM (
        SELECT position, service, occurred_at, logical_guid, channel_code FROM event
        WHERE orgcode = p_orgcode AND position > p_after AND position < p_before ORDER BY position LIMIT p_scan_limit) c
      WHERE (p_service IS NULL OR service = p_service) AND (p_logical_guid IS NULL OR logical_guid = p_logical_guid)
        AND (p_channel_code IS NULL OR channel_code = p_channel_code)
        AND (p_from IS NULL OR occurred_at >= p_from) AND (p_to IS NULL OR occurred_at < p_to)
      ORDER BY position LIMIT p_limit)
    SELECT ends.head, ends.dropped_to, seen.scanned, seen.scanned_to, e.position, e.recorded_at, e.envelope, e.service, e.logical_guid,
      e.channel_code, (extract(epoch from e.occurred_at) * 1000000)::bigint
    FROM (
      SELECT coalesce(max(h.position), 0) AS head, coalesce(max(h.dropped_to), 0) AS dropped_to
      FROM org_head h WHERE h.orgcode = p_orgcode) ends
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS scanned, max(c.position) AS scanned_to FROM (
        SELECT position FROM event WHERE (SELECT count(*) FROM hits) < p_limit
          AND orgcode = p_orgcode AND position > p_after AND position < p_before ORDER BY position LIMIT p_scan_limit) c) seen
    LEFT JOIN LATERAL (
      SELECT l.* FROM hits JOIN event l ON l.orgcode = p_orgcode AND l.position = hits.position
        AND l.position > p_after AND l.position < p_before) e ON true
    ORDER BY e.position;
END $$;
REVOKE EXECUTE ON FUNCTION ipm_feed_filtered_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_feed_filtered_page TO ipm_app, ipm_system;
