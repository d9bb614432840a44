//! Opens a deployment, runs a day and prints why a number is what it is:
//! `cargo run --example run_a_day`.
#![expect(clippy::print_stdout, reason = "an example shows what it got")]

use provender_domain::ids::BoundaryId;
use std::error::Error;

use provender_domain::render::markdown::markdown;
use provender_host::deployment::{Contents, Deployment, Options, create};
use provender_host::explain::{Units, Wanted, document};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let contents = Contents {
        sample: true,
        ..Contents::default()
    };
    create(folder.path(), &contents)?;

    let options = Options::new(folder.path(), "2025-07-01T06:00:00.000000Z", "example");
    let deployment = Deployment::open(&options)?;
    let date = "2025-06-30".parse()?;
    let day = deployment.run_day(date, &mut ())?;
    let (recorded, due) = (day.status.recorded, day.status.expected);
    println!("{recorded} of {due} runs of {date} are answered");

    let explanation = deployment.explain(&Wanted::Answer {
        boundary_id: BoundaryId::unchecked("north"),
        date,
        herd_config_id: None,
        logic: None,
        config_version: None,
    })?;
    println!("{}", markdown(&document(&explanation, Units::Metric)?));
    Ok(())
}
