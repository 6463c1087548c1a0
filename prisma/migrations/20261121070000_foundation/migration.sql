-- Two database roles serve; neither owns a table or may bypass row-level security.
--   ipm_app     sees one organisation: the one set for the transaction in `ipm.orgcode`, or nothing
--   ipm_system  sees all organisations: named places only (credentials, sweeps, operators)
DO $$
DECLARE role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['ipm_app', 'ipm_system'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT', role_name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- roles belong to the cluster, not to this database
    END;
    EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role_name);
  END LOOP;
END $$;

-- The organisation of this transaction. A setting that was once set locally reads '' afterwards, never NULL.
CREATE FUNCTION ipm_orgcode() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('ipm.orgcode', true), '') $$;

-- Puts a table with an `orgcode` column behind the tenant wall. The sub-select makes the organisation an InitPlan, so indexes serve.
CREATE FUNCTION ipm_raise_tenant_wall(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY one_organisation ON %s TO ipm_app USING (orgcode = (SELECT ipm_orgcode())) WITH CHECK (orgcode = (SELECT ipm_orgcode()))', target);
  EXECUTE format('CREATE POLICY all_organisations ON %s TO ipm_system USING (true) WITH CHECK (true)', target);
END $$;
REVOKE EXECUTE ON FUNCTION ipm_raise_tenant_wall(regclass) FROM PUBLIC;

-- Columns that a keyset pages by compare as bytes, as JavaScript's code points do, whatever the database's locale.

CREATE TABLE "organisation" (
  "orgcode" TEXT COLLATE "C" NOT NULL CHECK (orgcode ~ '^[A-Za-z0-9_-]{1,64}$'),
  "org_id" SERIAL NOT NULL,
  "caption" TEXT,
  "time_zone" TEXT NOT NULL DEFAULT 'UTC',
  "week_start" TEXT NOT NULL DEFAULT 'monday',
  "catalog_policy" TEXT NOT NULL DEFAULT 'accept',
  "limits" JSONB NOT NULL DEFAULT '{}',
  "revision" BIGINT NOT NULL DEFAULT 1,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "organisation_pkey" PRIMARY KEY ("orgcode")
);
CREATE UNIQUE INDEX "organisation_org_id_key" ON "organisation"("org_id");

CREATE TABLE "api_key" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "key_id" TEXT COLLATE "C" NOT NULL,
  "verifier" BYTEA NOT NULL,
  "fingerprint" TEXT NOT NULL,
  "caption" TEXT,
  "roles" TEXT[],
  "status" TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
  "expires_at" TIMESTAMPTZ(3),
  "last_used_at" TIMESTAMPTZ(3),
  "revoked_at" TIMESTAMPTZ(3),
  "created_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "revision" BIGINT NOT NULL DEFAULT 1,
  CONSTRAINT "api_key_pkey" PRIMARY KEY ("orgcode", "key_id"),
  CONSTRAINT "api_key_orgcode_fkey" FOREIGN KEY ("orgcode") REFERENCES "organisation"("orgcode") ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE UNIQUE INDEX "api_key_verifier_key" ON "api_key"("verifier");
CREATE INDEX "api_key_orgcode_created_at_key_id_idx" ON "api_key"("orgcode", "created_at" DESC, "key_id");

CREATE TABLE "session" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "session_id" UUID NOT NULL,
  "verifier" BYTEA NOT NULL,
  "fingerprint" TEXT NOT NULL,
  "actor" TEXT NOT NULL,
  "roles" TEXT[],
  "status" TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
  "expires_at" TIMESTAMPTZ(3) NOT NULL,
  "closed_at" TIMESTAMPTZ(3),
  "created_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "session_pkey" PRIMARY KEY ("orgcode", "session_id"),
  CONSTRAINT "session_orgcode_fkey" FOREIGN KEY ("orgcode") REFERENCES "organisation"("orgcode") ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE UNIQUE INDEX "session_verifier_key" ON "session"("verifier");
CREATE INDEX "session_expires_at_idx" ON "session"("expires_at");

CREATE TABLE "audit_event" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "seq" BIGINT NOT NULL,
  "audit_id" UUID NOT NULL DEFAULT gen_random_uuid(),
  "event_type" TEXT NOT NULL,
  "outcome" TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
  "error_tag" TEXT,
  "actor" TEXT NOT NULL,
  "claimed_actor" TEXT,
  "roles" TEXT[],
  "context_source" TEXT NOT NULL,
  "fingerprint" TEXT,
  "resource_type" TEXT,
  "resource_id" TEXT,
  "before" JSONB,
  "after" JSONB,
  "reason" TEXT,
  "source_refs" JSONB,
  "request_id" TEXT NOT NULL,
  "trace_id" TEXT,
  "idempotency_key" TEXT,
  "cccode" TEXT,
  "logical_guid" TEXT,
  "channel_code" TEXT,
  "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
  "previous_hash" BYTEA NOT NULL,
  "hash" BYTEA NOT NULL,
  CONSTRAINT "audit_event_pkey" PRIMARY KEY ("orgcode", "seq")
);

CREATE INDEX "audit_event_orgcode_resource_type_resource_id_seq_idx" ON "audit_event"("orgcode", "resource_type", "resource_id", "seq");
CREATE INDEX "audit_event_orgcode_event_type_seq_idx" ON "audit_event"("orgcode", "event_type", "seq");
CREATE INDEX "audit_event_orgcode_actor_seq_idx" ON "audit_event"("orgcode", "actor", "seq");

CREATE TABLE "audit_chain" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "seq" BIGINT NOT NULL,
  "hash" BYTEA NOT NULL,
  CONSTRAINT "audit_chain_pkey" PRIMARY KEY ("orgcode")
) WITH (fillfactor = 50);

-- What a link of the chain covers: every column but the hash. The time zone is fixed so that the same row gives the same text in any session.
CREATE FUNCTION audit_event_hash(e audit_event) RETURNS bytea LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
  SELECT sha256(convert_to(jsonb_build_array(
    e.orgcode, e.seq, e.audit_id, e.event_type, e.outcome, e.error_tag, e.actor, e.claimed_actor, e.roles, e.context_source,
    e.fingerprint, e.resource_type, e.resource_id, e.before, e.after, e.reason, e.source_refs, e.request_id, e.trace_id,
    e.idempotency_key, e.cccode, e.logical_guid, e.channel_code, e.recorded_at, encode(e.previous_hash, 'hex'))::text, 'UTF8'))
$$;

-- Numbers and links a new row. The chain row's lock is held to the end of the transaction, so that order of number is order of visibility.
CREATE FUNCTION audit_event_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE head audit_chain;
BEGIN
  INSERT INTO audit_chain (orgcode, seq, hash) VALUES (NEW.orgcode, 0, '\x') ON CONFLICT DO NOTHING;
  SELECT * INTO STRICT head FROM audit_chain WHERE orgcode = NEW.orgcode FOR UPDATE;
  NEW.seq := head.seq + 1;
  NEW.previous_hash := head.hash;
  NEW.recorded_at := clock_timestamp();
  NEW.hash := audit_event_hash(NEW);
  UPDATE audit_chain SET seq = NEW.seq, hash = NEW.hash WHERE orgcode = NEW.orgcode;
  RETURN NEW;
END $$;
CREATE TRIGGER link BEFORE INSERT ON "audit_event" FOR EACH ROW EXECUTE FUNCTION audit_event_link();

CREATE FUNCTION audit_event_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit events are insert-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER final_row BEFORE UPDATE OR DELETE ON "audit_event" FOR EACH ROW EXECUTE FUNCTION audit_event_is_final();
CREATE TRIGGER final_table BEFORE TRUNCATE ON "audit_event" FOR EACH STATEMENT EXECUTE FUNCTION audit_event_is_final();

CREATE TABLE "idempotency_key" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "route" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "request_hash" BYTEA NOT NULL,
  "credential" TEXT NOT NULL,
  "sealed" BOOLEAN NOT NULL DEFAULT false,
  "answer" TEXT,
  "expires_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("orgcode", "route", "key")
);
CREATE INDEX "idempotency_key_expires_at_idx" ON "idempotency_key"("expires_at");

CREATE TABLE "event_type" (
  "orgcode" TEXT COLLATE "C" NOT NULL,
  "service" TEXT COLLATE "C" NOT NULL,
  "action" TEXT COLLATE "C" NOT NULL,
  "schema_version" TEXT COLLATE "C" NOT NULL,
  "version_order" INTEGER[],
  "description" TEXT,
  "validation" TEXT NOT NULL CHECK (validation IN ('off', 'warn', 'enforce')),
  "schema" JSON NOT NULL,
  "redaction" JSON NOT NULL DEFAULT '{}',
  "facts" JSON,
  "specimen" JSON,
  "created_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "event_type_pkey" PRIMARY KEY ("orgcode", "service", "action", "schema_version")
);

CREATE TABLE "database_life" (
  "singleton" BOOLEAN NOT NULL DEFAULT true CHECK (singleton),
  "epoch" UUID NOT NULL,
  "system_identifier" TEXT NOT NULL,
  "database_oid" BIGINT NOT NULL,
  "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "database_life_pkey" PRIMARY KEY ("singleton")
);

SELECT ipm_raise_tenant_wall(t) FROM unnest(ARRAY[
  'organisation', 'api_key', 'session', 'audit_event', 'audit_chain', 'idempotency_key', 'event_type']::regclass[]) AS t;

-- What the ordinary role may do, table by table; nothing by default.
GRANT SELECT, INSERT, UPDATE ON "organisation", "api_key", "session", "audit_chain" TO ipm_app;
GRANT SELECT, INSERT ON "audit_event", "event_type" TO ipm_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "idempotency_key" TO ipm_app;
GRANT USAGE ON SEQUENCE "organisation_org_id_seq" TO ipm_app;

GRANT SELECT ON "organisation", "api_key", "session", "audit_event", "audit_chain" TO ipm_system;
GRANT UPDATE ("last_used_at") ON "api_key" TO ipm_system;
GRANT SELECT, DELETE ON "idempotency_key" TO ipm_system;
GRANT DELETE ON "session" TO ipm_system;
-- FOR UPDATE SKIP LOCKED, by which sweeps pass what a caller holds, asks for UPDATE on some column.
GRANT UPDATE ("expires_at") ON "idempotency_key", "session" TO ipm_system;
GRANT SELECT, INSERT, UPDATE ON "database_life" TO ipm_system;
