-- Says when the notes were written, too: how long a lane has been failing is the database's to say, whatever the clock of a worker is.
-- A worker of the version before reads the columns that it knows.
DROP FUNCTION ipm_note_lanes;
CREATE FUNCTION ipm_note_lanes(
  p_orgcodes text[], p_lanes bigint[], p_activations integer[], p_delivered integer[], p_failed integer[], p_dead integer[],
  p_counting integer[], p_trailing integer[], p_errors jsonb[], p_ages integer[], p_age_classes integer)
RETURNS TABLE (lane bigint, before integer, failures integer, "failingSince" timestamptz, "notedAt" timestamptz) LANGUAGE plpgsql AS $$
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
    SELECT n.lane, i.before, n.consecutive_failures, n.failing_since, clock_timestamp() FROM noted n JOIN input i USING (lane);
END $$;
REVOKE EXECUTE ON FUNCTION ipm_note_lanes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_note_lanes TO ipm_system;
