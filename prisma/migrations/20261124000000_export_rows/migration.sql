-- Events of an export: after a position, those that pass, up to a number of them and about so many bytes, looking at no more than so
-- many. A row an event, because a driver copies a long text several times before it has it. The last row has no event: `seenTo` is
-- the last position that was looked at.
DROP FUNCTION ipm_export_page;
CREATE FUNCTION ipm_export_rows(
  p_orgcode text, p_after bigint, p_before bigint, p_limit integer, p_max_bytes bigint, p_scan_limit integer, p_service text,
  p_from timestamptz, p_to timestamptz)
RETURNS TABLE ("position" bigint, "recordedAt" timestamptz, envelope text, "seenTo" bigint, "droppedTo" bigint)
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
    SELECT position, recorded_at, envelope, NULL::bigint, NULL::bigint FROM event
    WHERE orgcode = p_orgcode AND position > p_after AND position <= seen_to
      AND (p_service IS NULL OR service = p_service) AND (p_from IS NULL OR occurred_at >= p_from) AND (p_to IS NULL OR occurred_at < p_to)
    ORDER BY position;
  RETURN QUERY
    SELECT NULL::bigint, NULL::timestamptz, NULL::text, seen_to, coalesce(max(h.dropped_to), 0) FROM org_head h WHERE h.orgcode = p_orgcode;
END $$;
REVOKE EXECUTE ON FUNCTION ipm_export_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_export_rows TO ipm_app;
