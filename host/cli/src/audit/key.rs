//! `audit key`: creates a pair of keys for checkpoints. Also reads key files.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use provender_domain::files::bounded;
use provender_domain::files::outfile;
use provender_proof::{Signer, Verifier};

use super::super::error::{CliError, DISK};
use super::super::exit::Exit;
use super::super::ui::{Done, Look, Text};

/// Create a pair of Ed25519 keys for checkpoints: FILE, the private key, only for its holder, and
/// FILE.pub, the public key, for everybody.
///
/// Anyone who has the private key can sign any history. Keep it away from the machine that holds the
/// ledger, and give auditors the public key before they need it.
///
/// Example: provender audit key ledger.key --name ranch.example.org/grazing
#[derive(Args)]
pub(super) struct KeyArgs {
    /// Where to write the private key. An existing file is never overwritten.
    file: PathBuf,
    /// Name of the ledger that it signs for, without spaces or `+`. Your own domain with a path is
    /// unique.
    #[arg(long, value_name = "NAME")]
    name: String,
}

/// A pair of keys that was made.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AuditKeyAnswer<'a> {
    /// The file of the private key.
    private_key: String,
    /// The file of the public key.
    public_key: String,
    /// The public key's text.
    public: &'a str,
    /// Which ledger it signs for.
    name: &'a str,
}

pub(super) fn run(args: &KeyArgs) -> Result<Done, CliError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| {
        CliError::new(
            Exit::Io,
            "no_randomness",
            format!("the system provides no random bytes: {e}"),
        )
    })?;
    let signer = Signer::new(&args.name, &seed)?;
    let public = signer.verifier().to_text();
    let mut name = args.file.clone().into_os_string();
    name.push(".pub");
    let public_file = PathBuf::from(name);
    if public_file.exists() {
        return Err(exists(&public_file));
    }
    create(&args.file, signer.to_text().as_bytes(), true)?;
    create(&public_file, public.as_bytes(), false).inspect_err(|_| {
        // A private key left without its public key would block the next attempt.
        let _ = std::fs::remove_file(&args.file);
    })?;
    let mut text = Text::default();
    text.look(Look::Good, format!("private key: {}", args.file.display()));
    text.look(
        Look::Good,
        format!("public key:  {}", public_file.display()),
    );
    text.line(format!("             {}", public.trim_end()));
    text.blank();
    text.look(
        Look::Warn,
        "anyone who has the private key can sign any history: keep it away from the machine that holds the ledger, and out of its backups and of git",
    );
    let answer = AuditKeyAnswer {
        private_key: args.file.display().to_string(),
        public_key: public_file.display().to_string(),
        public: public.trim_end(),
        name: &args.name,
    };
    Ok(Done::ok(&answer, text))
}

fn exists(file: &Path) -> CliError {
    CliError::new(
        Exit::Io,
        "file_exists",
        format!("{} exists and is not overwritten", file.display()),
    )
    .help("give another name, or move that file away")
}

/// Creates a file atomically. It must not exist yet; a private one is readable by its owner only.
pub(super) fn create(file: &Path, bytes: &[u8], private: bool) -> Result<(), CliError> {
    outfile::create(file, bytes, private).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => exists(file),
        _ => CliError::new(
            Exit::Io,
            "file_unwritable",
            format!("{} cannot be written: {e}", file.display()),
        )
        .help(DISK),
    })
}

/// Reads a small text file named on the command line.
pub(super) fn text_of(file: &Path) -> Result<String, CliError> {
    let read = bounded::read_named(file, bounded::CONFIG_BYTES).and_then(bounded::text);
    read.map_err(|e| {
        let exit = match e.kind() {
            io::ErrorKind::NotFound => Exit::NotFound,
            io::ErrorKind::InvalidData | io::ErrorKind::FileTooLarge => Exit::Data,
            _ => Exit::Io,
        };
        CliError::new(
            exit,
            "file_unreadable",
            format!("{} cannot be read: {e}", file.display()),
        )
    })
}

/// Reads a private key. A file that others can access is refused.
pub(super) fn signer(file: &Path) -> Result<Signer, CliError> {
    let text = text_of(file)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(file).map(|m| m.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            let file = file.display();
            return Err(CliError::new(
                Exit::Config,
                "key_exposed",
                format!(
                    "others may read or write the private key {file}: what it signs proves nothing"
                ),
            )
            .help(format!(
                "if nobody has read it yet, chmod 600 {file}; else make another key"
            )));
        }
    }
    Ok(Signer::parse(&file.display().to_string(), &text)?)
}

/// Reads a public key from a file, or parses the key's text.
pub(super) fn verifier(key: &str) -> Result<Verifier, CliError> {
    let file = Path::new(key);
    if !file.exists() && key.contains('+') {
        return Ok(Verifier::parse("--public-key", key)?);
    }
    Ok(Verifier::parse(key, &text_of(file)?)?)
}
