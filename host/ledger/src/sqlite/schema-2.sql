-- Schema 2: manifests in packs. Many manifests share one file, named by its digest; a run says in which
-- pack its manifest is, and in which row. Runs without a pack have a file of their own, as before.

CREATE TABLE pack (
  pack_id INTEGER PRIMARY KEY,
  digest  BLOB NOT NULL CHECK (length(digest) = 32),
  entry   INTEGER NOT NULL REFERENCES entry (seq)
) STRICT;
CREATE UNIQUE INDEX pack_digest ON pack (digest);

ALTER TABLE run ADD COLUMN pack INTEGER REFERENCES pack (pack_id);
ALTER TABLE run ADD COLUMN place INTEGER CHECK ((place IS NULL) = (pack IS NULL) AND place >= 0);

CREATE TRIGGER pack_guard BEFORE INSERT ON pack
WHEN EXISTS (SELECT 1 FROM pack WHERE pack_id = NEW.pack_id) OR EXISTS (SELECT 1 FROM pack WHERE digest = NEW.digest)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: pack'); END;
CREATE TRIGGER pack_no_update BEFORE UPDATE ON pack BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: pack'); END;
CREATE TRIGGER pack_no_delete BEFORE DELETE ON pack BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: pack'); END;

DROP VIEW runs;
CREATE VIEW runs AS
SELECT s.boundary_id, s.herd_config_id,
       date(r.date * 86400, 'unixepoch') AS calculation_date,
       s.model_version,
       'sha256-jcs-v1:' || lower(hex(c.digest)) || CASE WHEN s.reissue > 0 THEN '+r' || s.reissue ELSE '' END AS config_version,
       'sha256-jcs-v1:' || lower(hex(r.provenance)) AS provenance,
       'sha256-jcs-v1:' || lower(hex(r.snapshot)) AS snapshot_id,
       'sha256:' || lower(hex(r.manifest)) AS manifest_sha256,
       CASE r.guardrail WHEN 0 THEN 'ok' ELSE 'failed' END AS guardrails,
       r.outputs, r.entry, e.at AS recorded_at, e.actor,
       r.replaces IS NOT NULL AS is_reissue,
       'sha256:' || lower(hex(k.digest)) AS pack_sha256, r.place
FROM run r JOIN series s USING (series_id) JOIN config c USING (config_id) JOIN entry e ON e.seq = r.entry
LEFT JOIN pack k ON k.pack_id = r.pack;
