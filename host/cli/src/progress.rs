//! Shows the library's progress as a bar on stderr.

use indicatif::ProgressBar;

use provender_host::deployment::{Phase, Progress};

use super::ui::Ui;

/// Shows one bar per phase, one after the other.
pub(super) struct Bars {
    ui: Ui,
    bar: Option<ProgressBar>,
}

impl Bars {
    pub(super) fn new(ui: Ui) -> Bars {
        Bars { ui, bar: None }
    }
}

impl Progress for Bars {
    fn begin(&mut self, phase: Phase, total: u64) {
        let what = match phase {
            Phase::Ingest => "ingesting",
            Phase::Compute => "computing",
            Phase::Shadow => "computing in shadow",
            Phase::Reissue => "reissuing",
            Phase::Examine => "examining",
            Phase::Backup => "backing up",
        };
        self.bar = Some(self.ui.progress(total, what));
    }

    fn advance(&mut self, steps: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(steps);
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
