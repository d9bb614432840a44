-- The ledger, schema 1. Append-only: the database itself refuses UPDATE, DELETE and REPLACE, also
-- from a shell with default pragmas. INSERT OR REPLACE deletes without firing delete triggers
-- there, so every unique constraint of every table has a guard BEFORE INSERT.
--
-- Digests are 32-byte blobs, days are days since 1970-01-01; 0001-01-01 (-719162) stands for "no
-- date" in observations. What is hashed is kept as exact text, integers or blobs, never as REAL.

CREATE TABLE entry (
  seq     INTEGER PRIMARY KEY,
  at      TEXT NOT NULL CHECK (length(at) >= 20),
  kind    TEXT NOT NULL CHECK (length(kind) > 0),
  actor   TEXT NOT NULL CHECK (length(actor) > 0),
  reason  TEXT,
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  prev    BLOB NOT NULL CHECK (length(prev) = 32),
  hash    BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE UNIQUE INDEX entry_hash ON entry (hash);
CREATE INDEX entry_kind ON entry (kind, seq);

CREATE TABLE file (
  file_id INTEGER PRIMARY KEY,
  entry   INTEGER NOT NULL REFERENCES entry (seq),
  source  TEXT NOT NULL CHECK (length(source) > 0),
  kind    TEXT NOT NULL,
  format  TEXT NOT NULL,
  path    TEXT NOT NULL,
  sha256  BLOB NOT NULL CHECK (length(sha256) = 32),
  rows    INTEGER NOT NULL CHECK (rows >= 0)
) STRICT;
CREATE INDEX file_sha256 ON file (sha256);

CREATE TABLE retraction (
  file_id INTEGER PRIMARY KEY REFERENCES file (file_id),
  entry   INTEGER NOT NULL REFERENCES entry (seq)
) STRICT;

CREATE TABLE boundary (
  boundary_id      TEXT NOT NULL CHECK (length(boundary_id) > 0),
  effective_date   INTEGER NOT NULL,
  entry            INTEGER NOT NULL REFERENCES entry (seq),
  name             TEXT,
  geometry         TEXT NOT NULL,
  area_ha          REAL NOT NULL,
  declared_area_ha REAL,
  file_id          INTEGER NOT NULL REFERENCES file (file_id),
  row              INTEGER NOT NULL,
  PRIMARY KEY (boundary_id, effective_date, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE herd (
  herd_config_id           TEXT NOT NULL CHECK (length(herd_config_id) > 0),
  boundary_id              TEXT NOT NULL CHECK (length(boundary_id) > 0),
  effective_date           INTEGER NOT NULL,
  entry                    INTEGER NOT NULL REFERENCES entry (seq),
  end_date                 INTEGER,
  name                     TEXT,
  animal_count             REAL,
  daily_intake_kg_per_head REAL,
  average_weight_kg        REAL,
  utilization_target_pct   REAL,
  animal_type              TEXT,
  class                    TEXT,
  file_id                  INTEGER NOT NULL REFERENCES file (file_id),
  row                      INTEGER NOT NULL,
  PRIMARY KEY (herd_config_id, boundary_id, effective_date, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE stream (
  stream_id   INTEGER PRIMARY KEY,
  boundary_id TEXT NOT NULL CHECK (length(boundary_id) > 0),
  column_name TEXT NOT NULL CHECK (length(column_name) > 0),
  source      TEXT NOT NULL CHECK (length(source) > 0)
) STRICT;
CREATE UNIQUE INDEX stream_name ON stream (boundary_id, column_name, source);

CREATE TABLE observation (
  stream_id INTEGER NOT NULL REFERENCES stream (stream_id),
  date      INTEGER NOT NULL,
  entry     INTEGER NOT NULL REFERENCES entry (seq),
  value     REAL,
  file_id   INTEGER NOT NULL REFERENCES file (file_id),
  row       INTEGER NOT NULL,
  PRIMARY KEY (stream_id, date, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE config (
  config_id INTEGER PRIMARY KEY,
  digest    BLOB NOT NULL CHECK (length(digest) = 32),
  canonical TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX config_digest ON config (digest);

CREATE TABLE series (
  series_id      INTEGER PRIMARY KEY,
  boundary_id    TEXT NOT NULL CHECK (length(boundary_id) > 0),
  herd_config_id TEXT NOT NULL CHECK (length(herd_config_id) > 0),
  model_version  TEXT NOT NULL CHECK (length(model_version) > 0),
  config_id      INTEGER NOT NULL REFERENCES config (config_id),
  reissue        INTEGER NOT NULL CHECK (reissue >= 0)
) STRICT;
CREATE UNIQUE INDEX series_key ON series (boundary_id, herd_config_id, model_version, config_id, reissue);

-- guardrail: 0 nothing breached, 1 breached and marked, 2 breached and refused as an answer.
-- outputs: canonical JSON list, in the order in which the component declares them.
-- replaces: the series whose run of this date this one supersedes.
CREATE TABLE run (
  series_id  INTEGER NOT NULL REFERENCES series (series_id),
  date       INTEGER NOT NULL,
  entry      INTEGER NOT NULL REFERENCES entry (seq),
  provenance BLOB NOT NULL CHECK (length(provenance) = 32),
  snapshot   BLOB NOT NULL CHECK (length(snapshot) = 32),
  manifest   BLOB NOT NULL CHECK (length(manifest) = 32),
  guardrail  INTEGER NOT NULL CHECK (guardrail IN (0, 1, 2)),
  replaces   INTEGER REFERENCES series (series_id),
  outputs    TEXT NOT NULL,
  PRIMARY KEY (series_id, date)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_replaces ON run (replaces, date) WHERE replaces IS NOT NULL;

CREATE TABLE report (
  digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
  entry  INTEGER NOT NULL REFERENCES entry (seq),
  kind   TEXT NOT NULL,
  body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The runs with their five-part key, for people and other tools.
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
       r.replaces IS NOT NULL AS is_reissue
FROM run r JOIN series s USING (series_id) JOIN config c USING (config_id) JOIN entry e ON e.seq = r.entry;

-- An entry continues the chain or is refused.
CREATE TRIGGER entry_chain BEFORE INSERT ON entry
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entry)
  OR NEW.prev IS NOT coalesce((SELECT hash FROM entry ORDER BY seq DESC LIMIT 1), zeroblob(32))
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: an entry must continue the chain'); END;

-- Same key, other provenance: drift. Same key, same provenance: already recorded.
CREATE TRIGGER run_guard BEFORE INSERT ON run
WHEN EXISTS (SELECT 1 FROM run WHERE series_id = NEW.series_id AND date = NEW.date)
BEGIN
  SELECT CASE WHEN (SELECT provenance FROM run WHERE series_id = NEW.series_id AND date = NEW.date) IS NOT NEW.provenance
    THEN RAISE(ABORT, 'DRIFT: a run with this key is recorded with other provenance')
    ELSE RAISE(ABORT, 'IMMUTABLE: a run with this key is recorded') END;
END;

CREATE TRIGGER entry_guard BEFORE INSERT ON entry
WHEN EXISTS (SELECT 1 FROM entry WHERE seq = NEW.seq) OR EXISTS (SELECT 1 FROM entry WHERE hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: entry'); END;
CREATE TRIGGER file_guard BEFORE INSERT ON file
WHEN EXISTS (SELECT 1 FROM file WHERE file_id = NEW.file_id)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: file'); END;
CREATE TRIGGER retraction_guard BEFORE INSERT ON retraction
WHEN EXISTS (SELECT 1 FROM retraction WHERE file_id = NEW.file_id)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: retraction'); END;
CREATE TRIGGER boundary_guard BEFORE INSERT ON boundary
WHEN EXISTS (SELECT 1 FROM boundary WHERE boundary_id = NEW.boundary_id AND effective_date = NEW.effective_date AND entry = NEW.entry)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: boundary'); END;
CREATE TRIGGER herd_guard BEFORE INSERT ON herd
WHEN EXISTS (SELECT 1 FROM herd WHERE herd_config_id = NEW.herd_config_id AND boundary_id = NEW.boundary_id
             AND effective_date = NEW.effective_date AND entry = NEW.entry)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: herd'); END;
CREATE TRIGGER stream_guard BEFORE INSERT ON stream
WHEN EXISTS (SELECT 1 FROM stream WHERE stream_id = NEW.stream_id)
  OR EXISTS (SELECT 1 FROM stream WHERE boundary_id = NEW.boundary_id AND column_name = NEW.column_name AND source = NEW.source)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: stream'); END;
CREATE TRIGGER observation_guard BEFORE INSERT ON observation
WHEN EXISTS (SELECT 1 FROM observation WHERE stream_id = NEW.stream_id AND date = NEW.date AND entry = NEW.entry)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: observation'); END;
CREATE TRIGGER config_guard BEFORE INSERT ON config
WHEN EXISTS (SELECT 1 FROM config WHERE config_id = NEW.config_id) OR EXISTS (SELECT 1 FROM config WHERE digest = NEW.digest)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: config'); END;
CREATE TRIGGER series_guard BEFORE INSERT ON series
WHEN EXISTS (SELECT 1 FROM series WHERE series_id = NEW.series_id)
  OR EXISTS (SELECT 1 FROM series WHERE boundary_id = NEW.boundary_id AND herd_config_id = NEW.herd_config_id
             AND model_version = NEW.model_version AND config_id = NEW.config_id AND reissue = NEW.reissue)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: series'); END;
CREATE TRIGGER report_guard BEFORE INSERT ON report
WHEN EXISTS (SELECT 1 FROM report WHERE digest = NEW.digest)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: report'); END;

CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: entry'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: entry'); END;
CREATE TRIGGER file_no_update BEFORE UPDATE ON file BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: file'); END;
CREATE TRIGGER file_no_delete BEFORE DELETE ON file BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: file'); END;
CREATE TRIGGER retraction_no_update BEFORE UPDATE ON retraction BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: retraction'); END;
CREATE TRIGGER retraction_no_delete BEFORE DELETE ON retraction BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: retraction'); END;
CREATE TRIGGER boundary_no_update BEFORE UPDATE ON boundary BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: boundary'); END;
CREATE TRIGGER boundary_no_delete BEFORE DELETE ON boundary BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: boundary'); END;
CREATE TRIGGER herd_no_update BEFORE UPDATE ON herd BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: herd'); END;
CREATE TRIGGER herd_no_delete BEFORE DELETE ON herd BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: herd'); END;
CREATE TRIGGER stream_no_update BEFORE UPDATE ON stream BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: stream'); END;
CREATE TRIGGER stream_no_delete BEFORE DELETE ON stream BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: stream'); END;
CREATE TRIGGER observation_no_update BEFORE UPDATE ON observation BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: observation'); END;
CREATE TRIGGER observation_no_delete BEFORE DELETE ON observation BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: observation'); END;
CREATE TRIGGER config_no_update BEFORE UPDATE ON config BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: config'); END;
CREATE TRIGGER config_no_delete BEFORE DELETE ON config BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: config'); END;
CREATE TRIGGER series_no_update BEFORE UPDATE ON series BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: series'); END;
CREATE TRIGGER series_no_delete BEFORE DELETE ON series BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: series'); END;
CREATE TRIGGER run_no_update BEFORE UPDATE ON run BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: run'); END;
CREATE TRIGGER run_no_delete BEFORE DELETE ON run BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: run'); END;
CREATE TRIGGER report_no_update BEFORE UPDATE ON report BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: report'); END;
CREATE TRIGGER report_no_delete BEFORE DELETE ON report BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: report'); END;
