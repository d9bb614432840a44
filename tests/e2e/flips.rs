//! Changes one bit or field at a time, in rows, the database file, manifests, components and releases. The
//! audit reports each, or the program reads the same content as before.
//!
//! ```text
//! PROVENDER_FLIPS=10000 [PROVENDER_FLIPS_SEED=7] cargo test --test e2e flips
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use provender_domain::canonical::Digest;
use provender_domain::interrupt::Interrupt;
use provender_host::audit::{Audit, Bad, Pinned, audit};
use provender_host::release::ReleaseStore;
use provender_ledger::{Address, LedgerError, Opening, Read, Write, open};
use provender_sandbox::{ComponentSearchPath, Lock};
use provender_store::manifest::Store;
use rusqlite::Connection;

use crate::flips_rows::{Cell, put, read_back, rows};
use crate::kit::{Dice, Ranch, number};

/// The audit's findings; `Err` if the deployment could not be opened or read.
fn look(ranch: &Ranch, ledger: &dyn Read) -> Result<Vec<Bad>, String> {
    let root = Dir::open_ambient_dir(ranch.dir(), ambient_authority()).unwrap();
    let open = |path: &str| root.open_dir(path).unwrap();
    let lock = Lock::parse(&ranch.read("provender.lock")).unwrap();
    let mut search_path = ComponentSearchPath::default();
    let mut pinned = Vec::new();
    for pin in lock.components() {
        search_path.add_pinned(root.try_clone().unwrap(), &pin.path, pin.sha256);
        pinned.push(Pinned {
            model_version: pin.model_version(),
            path: pin.path.clone(),
            sha256: pin.sha256,
            found: Ok(Digest::of_bytes(
                &std::fs::read(ranch.path(&pin.path)).unwrap(),
            )),
        });
    }
    search_path.add_store(open("out/releases/components"), "out/releases/components");
    let what = Audit {
        ledger,
        manifests: &Store::new(open("out/manifests"), "out/manifests"),
        search_path: &search_path,
        pinned: Ok(&pinned),
        releases: Some(&ReleaseStore::new(open("out/releases"), "out/releases")),
        against: None,
        interrupt: &Interrupt::default(),
    };
    let report = audit(&what, &|_| {}, &|_| {}).map_err(|e| e.to_string())?;
    // A manifest that no run names is reported, but is harmless.
    Ok(report.bad)
}

/// Opens the deployment like a verb that writes.
fn ledger_of(ranch: &Ranch) -> Result<Box<dyn Write>, LedgerError> {
    let address = Address::from_path(&ranch.path("out/ledger.db"));
    open(&address, Opening::Existing, Duration::from_secs(60))
}

fn reopened(ranch: &Ranch) -> Result<Vec<Bad>, String> {
    let ledger = ledger_of(ranch).map_err(|e| e.to_string())?;
    look(ranch, &*ledger)
}

/// A deployment with something of every kind, its ledger checkpointed into one file.
fn ranch() -> Ranch {
    let ranch = crate::release::three();
    // Some manifests are in a pack, the others in files of their own.
    let setting = "path = \"out/manifests\"\npack_from = 5";
    ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
    let earlier = ["compute", "--all", "--as-of", "2025-06-20"];
    let _ = ranch.run(&earlier).exits(0);
    let monitor = [
        "monitor",
        "--all",
        "--end",
        "2025-06-30",
        "--fail-on",
        "never",
    ];
    let _ = ranch.run(&monitor).exits(0);
    let revised = ["ingest", "--forage", "story/forage_revised.csv", "--accept"];
    let _ = ranch.run(&revised).exits(0);
    assert!(crate::audit::reissued(&ranch) > 0);
    let retract = [
        "ingest",
        "retract",
        "story/forage_revised.csv",
        "--reason",
        "wrong",
    ];
    let _ = ranch.run(&retract).exits(0);
    let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
    // One file, so that it can be restored and flipped as a whole.
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    ranch
}

/// The results for one kind of flip.
#[derive(Debug, Default)]
struct Tally {
    /// Named as bad.
    found: u64,
    /// The ledger could not be opened or read at all, which is reported.
    unreadable: u64,
    /// Refused by SQLite, or read with the same content as before.
    nothing: u64,
}

/// Every sixteenth change is also checked with the program itself, because a process takes longer than the
/// audit alone.
const CHANGES_PER_PROCESS: u64 = 16;

/// The exit code of `provender audit`.
fn verb(ranch: &Ranch) -> (i32, String) {
    let ran = ranch.run(&["audit"]);
    (ran.code, ran.stderr)
}

const TABLES: [&str; 14] = [
    "entry",
    "file",
    "retraction",
    "boundary",
    "herd",
    "stream",
    "observation",
    "config",
    "series",
    "run",
    "pack",
    "locator",
    "report",
    "identity",
];

/// Flips fields of rows. The guards are dropped, which the audit reports each time; it must report more.
fn fields(ranch: &Ranch, n: u64, dice: &mut Dice) -> Tally {
    let db = Connection::open(ranch.path("out/ledger.db")).unwrap();
    let mut statement = db
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap();
    let triggers: Vec<(String, String)> = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (name, _) in &triggers {
        db.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    db.execute_batch(
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF",
    )
    .unwrap();
    let ledger = ledger_of(ranch).unwrap();
    let baseline = look(ranch, &*ledger).unwrap();
    let of: BTreeMap<&str, _> = TABLES.iter().map(|t| (*t, rows(&db, t))).collect();
    let mut tally = Tally::default();
    for i in 0..n {
        let table = TABLES[dice.index(TABLES.len())];
        let (names, rows) = &of[table];
        assert!(!rows.is_empty(), "{table} has no row to change");
        let row = &rows[dice.index(rows.len())];
        let column = dice.index(names.len());
        let mut other = row.clone();
        // A missing value has no type, so try what the column accepts.
        other[column] = row[column].flipped(dice);
        let tries = match row[column] {
            Cell::Null => vec![Cell::Integer(1), Cell::Real(1.5), Cell::Text(b"x".to_vec())],
            _ => vec![other[column].clone()],
        };
        let Some(done) = tries.into_iter().find_map(|cell| {
            other[column] = cell;
            put(&db, table, names, row, &other).then(|| other.clone())
        }) else {
            tally.nothing += 1;
            continue;
        };
        let name = &names[column];
        // SQLite stores NaN as null and −0.0 as zero, so the row to restore from is the one that is there
        // now.
        let mut there = done.clone();
        there[column] = read_back(&db, table, names, &done, column);
        if there[column] == row[column] {
            tally.nothing += 1;
        } else {
            let change = format!("flip {i}: {table}.{name}: {row:?} became {there:?}");
            let found = look(ranch, &*ledger).unwrap_or_else(|e| panic!("{change}: {e}"));
            assert!(
                found.iter().any(|bad| !baseline.contains(bad)),
                "{change}: {found:?}"
            );
            if i % CHANGES_PER_PROCESS == 0 {
                let (code, stderr) = verb(ranch);
                assert_eq!(code, 11, "{change}: {stderr}");
            }
            tally.found += 1;
        }
        assert!(
            put(&db, table, names, &there, row),
            "{table}.{name} is put back"
        );
    }
    assert_eq!(
        look(ranch, &*ledger).unwrap(),
        baseline,
        "everything was put back"
    );
    for (_, sql) in &triggers {
        db.execute_batch(sql).unwrap();
    }
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    tally
}

/// Flips one bit of a file. It must be found, or `same` must say that the content is read as before. `named`
/// says whether a finding names the file.
fn bits(
    ranch: &Ranch,
    files: &[PathBuf],
    n: u64,
    dice: &mut Dice,
    same: &dyn Fn() -> bool,
    named: &dyn Fn(&Path, &[Bad]) -> bool,
) -> Tally {
    let mut tally = Tally::default();
    for i in 0..n {
        let file = &files[dice.index(files.len())];
        let pristine = std::fs::read(file).unwrap();
        let (at, bit) = (dice.index(pristine.len()), dice.index(8));
        let mut other = pristine.clone();
        other[at] ^= 1_u8 << bit;
        std::fs::write(file, &other).unwrap();
        let change = format!("flip {i}: bit {bit} of byte {at} of {}", file.display());
        let found = reopened(ranch);
        match &found {
            Ok(bad) if bad.is_empty() => {
                assert!(same(), "{change}");
                tally.nothing += 1;
            }
            Ok(bad) => {
                assert!(named(file, bad), "{change}: {bad:?}");
                tally.found += 1;
            }
            Err(_) => tally.unreadable += 1,
        }
        if i % CHANGES_PER_PROCESS == 0 {
            let (code, stderr) = verb(ranch);
            match found {
                Ok(bad) if bad.is_empty() => assert_eq!(code, 0, "{change}: {stderr}"),
                Ok(_) => assert_eq!(code, 11, "{change}: {stderr}"),
                // The file is damaged, or no longer a ledger of this program.
                Err(e) => assert!([11, 69].contains(&code), "{change}: {code} {e} {stderr}"),
            }
        }
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(ranch.path(&format!("out/ledger.db{end}")));
        }
        std::fs::write(file, &pristine).unwrap();
    }
    assert_eq!(reopened(ranch), Ok(Vec::new()), "everything was put back");
    tally
}

/// Everything that a reader of the database sees: every row and the schema.
fn dump(ranch: &Ranch) -> Option<String> {
    let db = Connection::open(ranch.path("out/ledger.db")).ok()?;
    let mut all = String::new();
    for table in TABLES.iter().chain(&["sqlite_schema"]) {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).ok()?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            for i in 0..columns {
                all.push_str(&format!("{:?}|", Cell::of(row.get_ref(i).ok()?)));
            }
            all.push('\n');
        }
    }
    Some(all)
}

fn below(ranch: &Ranch, folder: &str, ending: &str) -> Vec<PathBuf> {
    ranch
        .files(folder)
        .into_iter()
        .map(|(path, _)| path)
        .filter(|p: &PathBuf| p.extension().is_some_and(|e| e == Path::new(ending)))
        .collect()
}

#[test]
fn every_flip_in_the_record_is_reported() {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let seed = number("PROVENDER_FLIPS_SEED", now) | 1;
    let flips = number("PROVENDER_FLIPS", 300);
    println!("PROVENDER_FLIPS_SEED={seed}");
    let mut dice = Dice(seed);
    let ranch = ranch();
    assert_eq!(reopened(&ranch), Ok(Vec::new()));
    let rows = fields(&ranch, flips / 2, &mut dice);
    assert_eq!(reopened(&ranch), Ok(Vec::new()));
    let packs = below(&ranch, "out/manifests", "arrow");
    assert!(!packs.is_empty(), "nothing is in a pack");
    let mut manifests = below(&ranch, "out/manifests", "json");
    assert!(!manifests.is_empty(), "everything is in packs");
    // A pack is one file for many manifests. Repeat packs so that they are as likely as all single files
    // together.
    for i in 0..manifests.len() {
        manifests.push(packs[i % packs.len()].clone());
    }
    // The file name of a manifest or pack contains digits of the digest that findings name.
    let by_digest = |file: &Path, bad: &[Bad]| {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        let digits = stem.rsplit(['.', '-', '_']).next().unwrap().to_owned();
        bad.iter()
            .any(|bad| bad.id.contains(&digits) || bad.problem.contains(&digits))
    };
    let manifests = bits(
        &ranch,
        &manifests,
        flips / 5,
        &mut dice,
        &|| false,
        &by_digest,
    );
    let mut components = below(&ranch, "components", "wasm");
    components.extend(below(&ranch, "out/releases", "wasm"));
    components.extend(below(&ranch, "out/releases", "json"));
    let by_name = |file: &Path, bad: &[Bad]| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        bad.iter()
            .any(|bad| bad.id.contains(&name) || bad.problem.contains(&name))
            || by_digest(file, bad)
    };
    let components = bits(
        &ranch,
        &components,
        flips / 10,
        &mut dice,
        &|| false,
        &by_name,
    );
    let before = dump(&ranch).unwrap();
    let file = [ranch.path("out/ledger.db")];
    let same = || dump(&ranch).as_ref() == Some(&before);
    let database = bits(&ranch, &file, flips / 5, &mut dice, &same, &|_, _| true);
    println!(
        "fields {rows:?}, manifests {manifests:?}, components and releases {components:?}, database file {database:?}"
    );
    for of_files in [&manifests, &components] {
        assert_eq!((of_files.nothing, of_files.unreadable), (0, 0));
    }
    assert_eq!(rows.unreadable, 0);
    assert!(rows.found > rows.nothing * 4, "{rows:?}");
}
