//! Hand-written floors under the whole paths: the same bytes read, the same rows inserted by one prepared
//! statement, the same digests over the same canonical bytes, the same manifests encoded, written and
//! synced, and nothing else done. They have as many threads as the program.

use provender_domain::ids::{BoundaryId, HerdId, ModelVersion};
use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Mutex, PoisonError};

use provender_domain::canonical::{Digest, Recipe};
use provender_domain::day::Day;
use provender_domain::key::{ConfigVersion, RunKey};
use provender_ledger::types::{Guardrail, NewRun};
use provender_store::manifest::pack::{self, Pack, Scratch};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::columns;
use super::deploy::Deployment;
use super::measure::time;
use super::native;

fn text(e: rusqlite::Error) -> String {
    e.to_string()
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> String {
    let path = path.to_owned();
    move |e| format!("{}: {e}", path.display())
}

/// Copies a deployment's ledger, to insert into a copy of it later.
///
/// # Errors
/// When it cannot be copied.
pub(crate) fn keep(deployment: &Deployment, to: &Path) -> Result<(), String> {
    let db = Connection::open(deployment.ledger()).map_err(text)?;
    let to = to.join("ledger.db");
    let sql = "VACUUM INTO ?";
    db.execute(sql, [to.display().to_string()]).map_err(text)?;
    Ok(())
}

/// The manifests of some runs, as they are written again.
enum Manifests {
    /// A single one, byte for byte.
    Single(Vec<u8>),
    /// A pack, decoded: its digests are made and it is encoded anew.
    Pack(Box<Pack>),
}

impl Manifests {
    fn of(bytes: Vec<u8>) -> Result<Manifests, String> {
        if bytes.starts_with(b"ARROW1") {
            return Pack::parse(&bytes).map(|pack| Manifests::Pack(Box::new(pack)));
        }
        Ok(Manifests::Single(bytes))
    }

    fn bytes(&self) -> Result<std::borrow::Cow<'_, [u8]>, String> {
        match self {
            Manifests::Single(bytes) => Ok(bytes.into()),
            Manifests::Pack(pack) => {
                let mut scratch = Scratch::default();
                for row in 0..pack.rows.len() {
                    let inputs = &pack.rows.inputs;
                    std::hint::black_box(pack.template.provenance(inputs, row, &mut scratch));
                }
                digests(pack)?;
                pack::to_bytes(pack.header(), &pack.rows).map(Into::into)
            }
        }
    }
}

/// The digests of every manifest of a pack, over its canonical bytes.
fn digests(pack: &Pack) -> Result<(), String> {
    let mut scratch = Scratch::default();
    for row in 0..pack.rows.len() {
        std::hint::black_box(pack.template.seal(&pack.rows, row, &mut scratch)?);
    }
    Ok(())
}

/// The SHA-256 of every manifest of a pack, where the ledger says its snapshot id.
fn known(pack: &Pack) -> Result<(), String> {
    let mut scratch = Scratch::default();
    let snapshot = Digest::of_canonical(b"{}");
    for row in 0..pack.rows.len() {
        let sealed = pack
            .template
            .seal_with_snapshot(&pack.rows, row, snapshot, &mut scratch)?;
        std::hint::black_box(sealed);
    }
    Ok(())
}

/// All rows of a table, each as the values that a statement takes.
fn all(db: &Connection, table: &str, order: &str) -> Result<Vec<Vec<Value>>, String> {
    let mut select = db
        .prepare(&format!("SELECT * FROM {table} ORDER BY {order}"))
        .map_err(text)?;
    let width = select.column_count();
    let rows = select.query_map([], |r| (0..width).map(|c| r.get(c)).collect());
    rows.map_err(text)?.collect::<Result<_, _>>().map_err(text)
}

fn insert_into(table: &str, width: usize) -> String {
    let marks = vec!["?"; width].join(", ");
    format!("INSERT INTO {table} VALUES ({marks})")
}

/// The files of a folder and of those below it.
fn paths(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io(folder))? {
        let path = entry.map_err(io(folder))?.path();
        if path.is_dir() {
            found.extend(paths(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Seconds to record what `done` has recorded, into the ledger that was kept in `before`: what a compute
/// reads is read, every run is inserted under its entry, one transaction an entry; packs get their digests
/// and are encoded anew; and the bytes of all manifests are hashed, written under new names, and synced.
/// Two threads, as in the program: one for the manifests, and one for the rows, which come after theirs.
///
/// # Errors
/// When ledger or files refuse.
pub(crate) fn record(done: &Deployment, before: &Path) -> Result<f64, String> {
    let finished = Connection::open(done.ledger()).map_err(text)?;
    let mut db = Connection::open(before.join("ledger.db")).map_err(text)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;",
    )
    .map_err(text)?;
    let known: i64 = db
        .query_row("SELECT max(seq) FROM entry", [], |r| r.get(0))
        .map_err(text)?;
    let entries = all(&finished, "entry", "seq")?;
    let configs = all(&finished, "config", "config_id")?;
    let series = all(&finished, "series", "series_id")?;
    let packs = all(&finished, "pack", "entry, pack_id")?;
    let runs = all(&finished, "run", "entry, series_id, date")?;
    let manifests = paths(&done.folder.join("out/manifests"))?
        .into_iter()
        .map(|path| std::fs::read(&path).map_err(io(&path)))
        .map(|bytes| Manifests::of(bytes?))
        .collect::<Result<Vec<_>, _>>()?;
    let out = before.join("manifests");
    std::fs::create_dir_all(&out).map_err(io(&out))?;
    let mut recorded = |written: Receiver<()>| {
        let read = read_facts(&db)?;
        std::hint::black_box(read);
        let mut rows = runs.iter().peekable();
        let mut packs = packs.iter().peekable();
        let mut first = true;
        for entry in entries.iter().filter(|e| number(e, 0) > known) {
            let seq = number(entry, 0);
            let of_entry: Vec<_> =
                std::iter::from_fn(|| packs.next_if(|pack| number(pack, 2) == seq)).collect();
            for _ in &of_entry {
                written
                    .recv()
                    .map_err(|_| "there are fewer packs than the ledger names".to_owned())?;
            }
            let tx = db.transaction().map_err(text)?;
            insert(&tx, "entry", std::iter::once(entry))?;
            if std::mem::take(&mut first) {
                insert(&tx, "config", configs.iter())?;
                insert(&tx, "series", series.iter())?;
            }
            insert(&tx, "pack", of_entry.into_iter())?;
            let of_entry = std::iter::from_fn(|| rows.next_if(|run| number(run, 2) == seq));
            insert(&tx, "run", of_entry)?;
            tx.commit().map_err(text)?;
        }
        Ok::<_, String>(())
    };
    let (recorded, seconds) = time(|| {
        std::thread::scope(|scope| {
            let (written, ready) = std::sync::mpsc::channel();
            let (out, manifests) = (&out, &manifests);
            let writer = scope.spawn(move || put(out, manifests, &written));
            recorded(ready)?;
            writer.join().map_err(|_| ENDED.to_owned())?
        })
    });
    recorded?;
    Ok(seconds)
}

fn number(row: &[Value], column: usize) -> i64 {
    match row.get(column) {
        Some(Value::Integer(n)) => *n,
        _ => 0,
    }
}

fn insert<'a>(
    tx: &Connection,
    table: &str,
    rows: impl Iterator<Item = &'a Vec<Value>>,
) -> Result<(), String> {
    let mut rows = rows.peekable();
    let Some(first) = rows.peek() else {
        return Ok(());
    };
    let sql = insert_into(table, first.len());
    let mut insert = tx.prepare_cached(&sql).map_err(text)?;
    for row in rows {
        insert.execute(params_from_iter(row)).map_err(text)?;
    }
    Ok(())
}

/// Reads everything that a compute reads, each value once, and returns their number.
fn read_facts(db: &Connection) -> Result<usize, String> {
    let mut values = 0;
    for table in ["boundary", "herd", "observation"] {
        let mut select = db
            .prepare(&format!("SELECT * FROM {table}"))
            .map_err(text)?;
        let width = select.column_count();
        let mut rows = select.query([]).map_err(text)?;
        while let Some(row) = rows.next().map_err(text)? {
            for column in 0..width {
                std::hint::black_box(row.get_ref(column).map_err(text)?);
                values += 1;
            }
        }
    }
    Ok(values)
}

/// Writes manifests and reports each.
fn put(folder: &Path, manifests: &[Manifests], written: &Sender<()>) -> Result<(), String> {
    for (n, manifests) in manifests.iter().enumerate() {
        let bytes = manifests.bytes()?;
        std::hint::black_box(Digest::of_bytes(&bytes));
        let path = folder.join(n.to_string());
        let mut file = std::fs::File::create(&path).map_err(io(&path))?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(io(&path))?;
        // Nobody waits for manifests beyond the packs.
        let _ = written.send(());
    }
    std::fs::File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(io(folder))
}

/// Seconds to read what a replay and what an audit must read: manifests read, decoded and hashed, for a
/// replay with the native kernel over as many rows, for an audit with every run's row. As many threads as
/// there are cores, as in the program: one begins with the kernel or the rows.
///
/// # Errors
/// When ledger or files refuse.
pub(crate) fn read(done: &Deployment) -> Result<(f64, f64), String> {
    let folder = done.folder.join("out/manifests");
    let rows = done.plan.runs();
    let inputs = columns::v2(rows);
    let (replayed, replay) = time(|| {
        let before = || {
            std::hint::black_box(native::v2(&inputs, rows));
            Ok(())
        };
        beside(&folder, known, before)
    });
    replayed?;
    drop(inputs);
    let (audited, audit) = time(|| beside(&folder, digests, || hash_rows(&done.ledger())));
    audited?;
    Ok((replay, audit))
}

const ENDED: &str = "a thread of the floor panicked";

/// Every manifest of a folder read, decoded and hashed by as many threads as there are cores, the first of
/// which does something else before.
fn beside(
    folder: &Path,
    of_pack: fn(&Pack) -> Result<(), String>,
    before: impl FnOnce() -> Result<(), String> + Send,
) -> Result<(), String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let queue = Mutex::new(paths(folder)?.into_iter());
    let work = || loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(path) = next else {
            return Ok::<_, String>(());
        };
        let bytes = std::fs::read(&path).map_err(io(&path))?;
        std::hint::black_box(Digest::of_bytes(&bytes));
        decode(&bytes, of_pack)?;
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|_| scope.spawn(work)).collect();
        before()?;
        work()?;
        for other in others {
            other.join().map_err(|_| ENDED.to_owned())??;
        }
        Ok(())
    })
}

/// Reads every run's row and hashes it as in the ledger's tree: over the canonical text of the run, with the data of
/// its series, which was read before.
fn hash_rows(ledger: &Path) -> Result<(), String> {
    let db = Connection::open(ledger).map_err(text)?;
    let jcs = |bytes| Digest::from_parts(Recipe::JcsV1, bytes);
    let mut select = db
        .prepare(
            "SELECT s.series_id, s.boundary_id, s.herd_config_id, s.model_version, c.digest, s.reissue
               FROM series s JOIN config c ON c.config_id = s.config_id",
        )
        .map_err(text)?;
    let keys = select.query_map([], |r| {
        let key = RunKey {
            boundary_id: BoundaryId::unchecked(r.get::<_, String>(1)?),
            herd_config_id: HerdId::unchecked(r.get::<_, String>(2)?),
            calculation_date: Day::MIN,
            model_version: ModelVersion::unchecked(r.get::<_, String>(3)?),
            config_version: ConfigVersion {
                config: jcs(r.get(4)?),
                reissue: r.get(5)?,
            },
        };
        Ok((r.get(0)?, key))
    });
    let keys: HashMap<i64, RunKey> = keys
        .map_err(text)?
        .collect::<Result<_, _>>()
        .map_err(text)?;
    let mut select = db
        .prepare("SELECT series_id, date, provenance, snapshot, manifest, guardrail, replaces, outputs FROM run")
        .map_err(text)?;
    let mut rows = select.query([]).map_err(text)?;
    let mut room = Vec::new();
    while let Some(row) = rows.next().map_err(text)? {
        let series: i64 = row.get(0).map_err(text)?;
        let key = keys.get(&series).ok_or("a run has no series")?;
        let run = run(row, key).map_err(text)?;
        std::hint::black_box(run.leaf_in(&mut room));
    }
    Ok(())
}

fn run(row: &rusqlite::Row<'_>, key: &RunKey) -> rusqlite::Result<NewRun> {
    let replaces: Option<i64> = row.get(6)?;
    Ok(NewRun {
        key: RunKey {
            calculation_date: Day::from_days(row.get(1)?).unwrap_or(Day::MIN),
            ..key.clone()
        },
        provenance: Digest::from_parts(Recipe::JcsV1, row.get(2)?),
        snapshot: Digest::from_parts(Recipe::JcsV1, row.get(3)?),
        manifest: Digest::from_parts(Recipe::Raw, row.get(4)?),
        place: None,
        guardrail: Guardrail::from_number(row.get(5)?).unwrap_or(Guardrail::Ok),
        replaces: replaces.map(|_| key.config_version.clone()),
        outputs: row.get(7)?,
    })
}

/// A manifest, or a pack with the digests of all its manifests.
fn decode(bytes: &[u8], of_pack: fn(&Pack) -> Result<(), String>) -> Result<(), String> {
    if bytes.starts_with(b"ARROW1") {
        return of_pack(&Pack::parse(bytes)?);
    }
    let json: serde_json::Value = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    std::hint::black_box(json);
    Ok(())
}
