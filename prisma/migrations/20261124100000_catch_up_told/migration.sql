-- What a catch-up has worked off and not told of yet: whoever goes on after a lost worker tells of all of it, once.
ALTER TABLE "webhook" ADD COLUMN "caught_up" JSONB;
DROP INDEX "webhook_gaps_idx";
CREATE INDEX "webhook_lagging_idx" ON "webhook" ("lane") WHERE status = 'active' AND (gaps <> '[]' OR caught_up IS NOT NULL);
