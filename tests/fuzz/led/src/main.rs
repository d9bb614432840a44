//! The targets of `tests/fuzz/targets.rs` under libFuzzer, which keeps the inputs that reach new code.
//!
//! `PROVENDER_FUZZ_TARGET` names the target. With `PROVENDER_FUZZ_SEEDS=FOLDER` it only writes the seeds and
//! the words of the target's format there.

#![no_main]
#![expect(
    clippy::unwrap_used,
    reason = "a fuzzer stops at the first failed expectation"
)]

use std::path::Path;
use std::sync::OnceLock;

#[path = "../../guests.rs"]
mod guests;
mod hostile;
#[path = "../../readings.rs"]
mod readings;
#[path = "../../targets.rs"]
#[expect(dead_code, reason = "how many inputs a test takes is not for this one")]
mod targets;

use targets::Target;

struct Chosen {
    target: &'static Target,
    /// An input of the required length; shorter inputs are filled up from it.
    whole: Option<Vec<u8>>,
}

fn chosen() -> &'static Chosen {
    static CHOSEN: OnceLock<Chosen> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = std::env::var("PROVENDER_FUZZ_TARGET").unwrap_or_default();
        let Some(target) = targets::ALL.iter().find(|t| t.name == name) else {
            let names: Vec<_> = targets::ALL.iter().map(|t| t.name).collect();
            panic!(
                "PROVENDER_FUZZ_TARGET={name} is none of {}",
                names.join(", ")
            );
        };
        let whole = target
            .keep_length
            .then(|| (target.seeds)().into_iter().next().unwrap());
        Chosen { target, whole }
    })
}

/// Seeds and a dictionary, in libFuzzer's form.
fn write_seeds(target: &Target, folder: &Path) {
    let corpus = folder.join("corpus");
    std::fs::create_dir_all(&corpus).unwrap();
    for (n, seed) in (target.seeds)().iter().enumerate() {
        std::fs::write(corpus.join(format!("seed-{n}")), seed).unwrap();
    }
    let mut words = String::new();
    for word in target.words {
        words.push('"');
        for byte in word.bytes() {
            words.push_str(&format!("\\x{byte:02x}"));
        }
        words.push_str("\"\n");
    }
    std::fs::write(folder.join("words"), words).unwrap();
}

libfuzzer_sys::fuzz_target!(
    init: {
        let chosen = chosen();
        if let Some(folder) = std::env::var_os("PROVENDER_FUZZ_SEEDS") {
            write_seeds(chosen.target, Path::new(&folder));
            std::process::exit(0);
        }
    },
    |input: &[u8]| {
        let Chosen { target, whole } = chosen();
        match whole {
            Some(whole) => {
                let mut image = whole.clone();
                let n = input.len().min(image.len());
                image[..n].copy_from_slice(&input[..n]);
                (target.run)(&image);
            }
            None => (target.run)(input),
        }
    }
);
