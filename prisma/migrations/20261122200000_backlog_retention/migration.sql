-- What retention takes from webhooks that are paused: it does not wait for them, but says so before and after.
ALTER TABLE "webhook"
  ADD COLUMN "backlog_warned_to" BIGINT NOT NULL DEFAULT 0, -- positions before it were announced to go
  ADD COLUMN "backlog_oldest_at" TIMESTAMPTZ(3), -- when the oldest of them was recorded
  ADD COLUMN "backlog_lost_to" BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN "backlog_lost_from" TIMESTAMPTZ(3);
