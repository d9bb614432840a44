-- Schema 3: runs by their id and by their entry. An id is a digest of the run's key and no column. A row
-- lists runs of one entry whose ids begin with the same hex digit; `locator.rs` says how. Nothing here is
-- recorded by itself: it follows from the runs, and the audit compares it with them.

CREATE TABLE locator (
  digit INTEGER NOT NULL CHECK (digit BETWEEN 0 AND 15),
  entry INTEGER NOT NULL REFERENCES entry (seq),
  part  INTEGER NOT NULL CHECK (part >= 0),
  runs  BLOB NOT NULL CHECK (length(runs) > 0),
  PRIMARY KEY (digit, entry, part)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER locator_guard BEFORE INSERT ON locator
WHEN EXISTS (SELECT 1 FROM locator WHERE digit = NEW.digit AND entry = NEW.entry AND part = NEW.part)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: locator'); END;
CREATE TRIGGER locator_no_update BEFORE UPDATE ON locator BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: locator'); END;
CREATE TRIGGER locator_no_delete BEFORE DELETE ON locator BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: locator'); END;
