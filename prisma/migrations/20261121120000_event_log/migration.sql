-- The event log: one order per organisation, in partitions by position, with a ledger that keeps duplicates out.

ALTER TABLE "organisation" ADD COLUMN "catalog_version" BIGINT NOT NULL DEFAULT 0;

-- CACHE above 1 would hand numbers to sessions in advance, and order of number would no longer be order of visibility.
CREATE SEQUENCE "event_position" AS BIGINT CACHE 1;

-- The key carries what the feed filters by, so that a page with a sparse filter looks at the index and not at the events.
CREATE TABLE "event" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "position" BIGINT NOT NULL,
  "event_id" TEXT COLLATE "C" NOT NULL,
  "service" TEXT COLLATE "C" NOT NULL,
  "action" TEXT COLLATE "C" NOT NULL,
  "occurred_at" TIMESTAMPTZ NOT NULL,
  "recorded_at" TIMESTAMPTZ(3) NOT NULL,
  "logical_guid" TEXT COLLATE "C",
  "channel_code" TEXT COLLATE "C",
  "pushed" BOOLEAN NOT NULL,
  "envelope" TEXT NOT NULL,
  CONSTRAINT "event_pkey" PRIMARY KEY ("orgcode", "position") INCLUDE ("service", "occurred_at", "logical_guid", "channel_code")
) PARTITION BY RANGE ("position");
-- For the work that goes by position alone: zones and retention. Rows lie nearly in that order, so a few bytes a megabyte do.
CREATE INDEX "event_position_idx" ON "event" USING brin ("position") WITH (pages_per_range = 128, autosummarize = on);

-- What is in the log already: written once per event, asked for every event. In this order a random event_id costs no random page.
CREATE TABLE "event_key" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "occurred_at" TIMESTAMPTZ NOT NULL,
  "event_id" TEXT COLLATE "C" NOT NULL,
  "position" BIGINT NOT NULL,
  CONSTRAINT "event_key_pkey" PRIMARY KEY ("orgcode", "occurred_at", "event_id")
);

-- Where each organisation's log ends, and up to where retention has dropped it.
CREATE TABLE "org_head" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "position" BIGINT NOT NULL,
  "appended_at" TIMESTAMPTZ(3) NOT NULL,
  "dropped_to" BIGINT NOT NULL DEFAULT 0,
  CONSTRAINT "org_head_pkey" PRIMARY KEY ("orgcode")
) WITH (fillfactor = 50);

-- How far an organisation's events were routed. There is a row only where somebody consumes them.
CREATE TABLE "router_cursor" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "position" BIGINT NOT NULL,
  "routed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "router_cursor_pkey" PRIMARY KEY ("orgcode")
) WITH (fillfactor = 50);

-- Work that still reads the log from a position on; retention waits for it.
CREATE TABLE "event_hold" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "holder" TEXT COLLATE "C" NOT NULL,
  "position" BIGINT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "event_hold_pkey" PRIMARY KEY ("orgcode", "holder")
);

-- The partitions of "event", each from its first position to before its last. `full_at`: since when no new position falls into it.
CREATE TABLE "event_partition" (
  "name" TEXT COLLATE "C" NOT NULL,
  "from_position" BIGINT NOT NULL,
  "to_position" BIGINT NOT NULL CHECK (to_position > from_position),
  "status" TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'retiring')),
  "opened_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "full_at" TIMESTAMPTZ(3),
  CONSTRAINT "event_partition_pkey" PRIMARY KEY ("name")
);

-- When the events of a stretch of positions occurred, so that a page with a time filter passes over what cannot match.
CREATE TABLE "event_zone" (
  "from_position" BIGINT NOT NULL,
  "to_position" BIGINT NOT NULL,
  "first_occurred_at" TIMESTAMPTZ,
  "last_occurred_at" TIMESTAMPTZ,
  CONSTRAINT "event_zone_pkey" PRIMARY KEY ("from_position")
);

SELECT ipm_raise_tenant_wall(t) FROM unnest(ARRAY['event', 'event_key', 'org_head', 'router_cursor', 'event_hold']::regclass[]) AS t;

-- Appends events of one organisation in the order given and answers for each its number, position, whether it was there before
-- and whether it is young enough to be pushed. The organisation's lock is held to the commit and numbers are drawn under it, so
-- within an organisation order of position is order of visibility. The lock is a statement of its own: inside the insert a
-- duplicate could not see the row it is a duplicate of. Answers nothing at all where the catalog is no longer the one that the
-- events were checked against.
CREATE FUNCTION ipm_append(
  p_orgcode text, p_catalog_version bigint, p_max_age interval, p_event_ids text[], p_occurred_at timestamptz[], p_services text[],
  p_actions text[], p_logical_guids text[], p_channel_codes text[], p_envelopes text[])
RETURNS TABLE (n bigint, "position" bigint, duplicate boolean, pushed boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  now_recorded timestamptz(3);
  last_new bigint;
BEGIN
  IF ipm_orgcode() IS DISTINCT FROM p_orgcode THEN
    RAISE EXCEPTION 'events of % inside a transaction of %', p_orgcode, ipm_orgcode() USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM pg_advisory_xact_lock(4711, hashtext(p_orgcode));
  IF p_catalog_version IS NOT NULL THEN
    PERFORM FROM organisation o WHERE o.orgcode = p_orgcode AND o.catalog_version = p_catalog_version;
    IF NOT FOUND THEN
      RETURN;
    END IF;
  END IF;
  PERFORM pg_current_xact_id(); -- before a number is drawn: who waits until all drawers have ended looks at transaction ids
  now_recorded := clock_timestamp();
  -- A few go one by one: the statement below costs 400 microseconds before its first row, which eight events outweigh.
  IF cardinality(p_event_ids) <= 4 THEN
    FOR i IN 1 .. cardinality(p_event_ids) LOOP
      n := i;
      pushed := p_occurred_at[i] > now_recorded - p_max_age;
      SELECT k.position INTO position FROM event_key k
      WHERE k.orgcode = p_orgcode AND k.occurred_at = p_occurred_at[i] AND k.event_id = p_event_ids[i];
      duplicate := FOUND;
      IF NOT duplicate THEN
        position := nextval('event_position');
        last_new := position;
        INSERT INTO event_key (orgcode, occurred_at, event_id, position)
        VALUES (p_orgcode, p_occurred_at[i], p_event_ids[i], last_new);
        INSERT INTO event (orgcode, position, event_id, service, action, occurred_at, recorded_at, logical_guid, channel_code, pushed, envelope)
        VALUES (p_orgcode, last_new, p_event_ids[i], p_services[i], p_actions[i], p_occurred_at[i], now_recorded, p_logical_guids[i],
          p_channel_codes[i], p_occurred_at[i] > now_recorded - p_max_age, p_envelopes[i]);
      END IF;
      RETURN NEXT;
    END LOOP;
    IF last_new IS NOT NULL THEN
      UPDATE org_head h SET position = last_new, appended_at = now_recorded WHERE h.orgcode = p_orgcode;
      IF NOT FOUND THEN
        INSERT INTO org_head (orgcode, position, appended_at) VALUES (p_orgcode, last_new, now_recorded);
      END IF;
    END IF;
    RETURN;
  END IF;
  RETURN QUERY
    WITH input AS MATERIALIZED (
      SELECT u.*, k.position AS known
      FROM unnest(p_event_ids, p_occurred_at, p_services, p_actions, p_logical_guids, p_channel_codes, p_envelopes) WITH ORDINALITY
        AS u(event_id, occurred_at, service, action, logical_guid, channel_code, envelope, n)
      LEFT JOIN LATERAL (
        SELECT position FROM event_key k
        WHERE k.orgcode = p_orgcode AND k.occurred_at = u.occurred_at AND k.event_id = u.event_id LIMIT 1) k ON true
    ), numbered AS MATERIALIZED (
      SELECT i.*, CASE WHEN i.known IS NULL THEN nextval('event_position') ELSE i.known END AS position,
        i.occurred_at > now_recorded - p_max_age AS pushed
      FROM (SELECT * FROM input ORDER BY n) i
    ), keyed AS (
      INSERT INTO event_key (orgcode, occurred_at, event_id, position)
      SELECT p_orgcode, occurred_at, event_id, position FROM numbered WHERE known IS NULL
    ), stored AS (
      INSERT INTO event (orgcode, position, event_id, service, action, occurred_at, recorded_at, logical_guid, channel_code, pushed, envelope)
      SELECT p_orgcode, position, event_id, service, action, occurred_at, now_recorded, logical_guid, channel_code, pushed, envelope
      FROM numbered WHERE known IS NULL
    ), headed AS (
      INSERT INTO org_head (orgcode, position, appended_at)
      SELECT p_orgcode, max(position), now_recorded FROM numbered WHERE known IS NULL HAVING count(*) > 0
      ON CONFLICT (orgcode) DO UPDATE SET position = excluded.position, appended_at = excluded.appended_at
    )
    SELECT n, position, known IS NOT NULL, pushed FROM numbered;
END $$;

-- What needs the owner's rights, as functions with bounds: serving logins own nothing. Short lock waits, because whoever comes
-- after a waiting ACCESS EXCLUSIVE lock waits too; the caller tries again.

-- Made apart and attached, which stops nobody; CREATE ... PARTITION OF would lock the whole log.
CREATE FUNCTION ipm_add_event_partition(p_size bigint) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
  first bigint;
  name text;
BEGIN
  PERFORM pg_advisory_xact_lock(4712, 1);
  SELECT coalesce(max(to_position), 1) INTO first FROM event_partition;
  name := 'event_from_' || first;
  -- Vacuumed by what was inserted and not by a share of the table: then pages are known to be all visible, and the key alone answers.
  EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING STORAGE, CONSTRAINT in_range CHECK (position >= %s AND position < %s))
    WITH (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000)', name, first, first + p_size);
  EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, first, first + p_size);
  EXECUTE format('ALTER TABLE %I DROP CONSTRAINT in_range', name); -- it spared ATTACH the scan
  INSERT INTO event_partition (name, from_position, to_position) VALUES (name, first, first + p_size);
  RETURN name;
END $$;

-- Lets the next event begin a new partition, so that a quiet log has old partitions too. Altering the sequence waits for every
-- transaction that has drawn a number and holds off those that want one, so that nothing is drawn between look and move.
CREATE FUNCTION ipm_begin_event_partition() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  drawn bigint;
  present event_partition;
BEGIN
  ALTER SEQUENCE event_position CACHE 1;
  SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END INTO drawn FROM event_position;
  SELECT * INTO present FROM event_partition WHERE from_position <= drawn AND to_position > drawn + 1;
  IF NOT FOUND THEN
    RETURN false; -- nothing in it yet, or it is full
  END IF;
  PERFORM setval('event_position', present.to_position - 1);
  RETURN true;
END $$;

CREATE FUNCTION ipm_drop_event_partition(p_name text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  gone event_partition;
BEGIN
  DELETE FROM event_partition WHERE name = p_name AND status = 'retiring' RETURNING * INTO gone;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'partition % is not retiring', p_name;
  END IF;
  EXECUTE format('ALTER TABLE event DETACH PARTITION %I', gone.name);
  EXECUTE format('DROP TABLE %I', gone.name);
  DELETE FROM event_zone WHERE to_position <= gone.to_position;
END $$;

SELECT ipm_add_event_partition(5000000) FROM generate_series(1, 3);

REVOKE EXECUTE ON FUNCTION ipm_append, ipm_add_event_partition, ipm_begin_event_partition, ipm_drop_event_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ipm_append TO ipm_app, ipm_system;
GRANT EXECUTE ON FUNCTION ipm_add_event_partition, ipm_begin_event_partition, ipm_drop_event_partition TO ipm_system;

-- Nothing is granted on partitions: they do not inherit the wall.
GRANT SELECT, INSERT ON "event", "event_key" TO ipm_app;
GRANT SELECT, INSERT, UPDATE ON "org_head", "router_cursor" TO ipm_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "event_hold" TO ipm_app;
GRANT USAGE ON SEQUENCE "event_position" TO ipm_app;

GRANT SELECT ON "event", "event_key", "org_head", "router_cursor", "event_hold", "event_partition", "event_zone" TO ipm_system;
GRANT SELECT ON SEQUENCE "event_position" TO ipm_system;
GRANT DELETE ON "event_key" TO ipm_system;
GRANT UPDATE ("dropped_to") ON "org_head" TO ipm_system;
GRANT UPDATE ("position", "routed_at") ON "router_cursor" TO ipm_system;
GRANT UPDATE ("status", "full_at") ON "event_partition" TO ipm_system;
GRANT INSERT ON "event_zone" TO ipm_system;
-- Retention audits what it drops, in each organisation's own chain.
GRANT INSERT ON "audit_event", "audit_chain" TO ipm_system;
GRANT UPDATE ON "audit_chain" TO ipm_system;
