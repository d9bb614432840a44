//! `release approve`: records a person's approval.

use clap::{Args, ValueEnum};
use provender_ledger::EntryNumber;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::ui::{Done, Look, Text};
use provender_domain::canonical::Digest;
use provender_ledger::Payload;
use provender_ledger::entries::{Approval, Role};
use provender_ledger::entry::Kind;

use super::{name_of, reason};

/// Approve a release, as DS or as MLOps.
///
/// Example: provender release approve R1 --as ds --reason "the back-test moves what it should"
#[derive(Args)]
pub(crate) struct ApproveArgs {
    /// The release: R3, 3, or the beginning of its digest.
    release: String,
    /// Your role.
    #[arg(long = "as", value_name = "ROLE")]
    role: RoleArg,
    /// Why. It is recorded in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Roles that can approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleArg {
    Ds,
    Mlops,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Role {
        match role {
            RoleArg::Ds => Role::Ds,
            RoleArg::Mlops => Role::Mlops,
        }
    }
}

/// An approval.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReleaseApproveAnswer {
    /// Digest of the release.
    release: Digest,
    /// Its number.
    number: u32,
    /// The role.
    role: Role,
    /// The entry of the approval.
    entry: EntryNumber,
    /// False if this person had already approved it in this role.
    changed: bool,
}

pub(super) fn run(global: &Global, args: &ApproveArgs) -> Result<Done, CliError> {
    let reason = reason(&args.reason)?;
    let context = Context::open_record(global)?;
    let standing = context.standing()?;
    let known = standing.find(&args.release)?;
    let role = Role::from(args.role);
    let given = standing
        .notes_of(Kind::Approval, &known.digest)
        .find(|n| n.approval().is_some_and(|a| a.role == role) && n.stamp.actor == context.actor);
    let mut text = Text::default();
    let (entry, new) = if let Some(given) = given {
        text.line(format!(
            "{} already approved {} as {role}, at {}",
            context.actor,
            name_of(known),
            given.stamp.at
        ));
        (given.entry, false)
    } else {
        let payload = Payload::Approval(Approval {
            release: known.digest,
            number: known.document.number,
            role,
            environment: context.project.settings.environment.clone(),
        });
        let ledger = context.writer()?;
        let entry = ledger.append(&context.stamp(Some(reason)), &payload)?;
        text.look(
            Look::Good,
            format!("{} approves {} as {role}", context.actor, name_of(known)),
        );
        (entry.seq, true)
    };
    let answer = ReleaseApproveAnswer {
        release: known.digest,
        number: known.document.number,
        role,
        entry,
        changed: new,
    };
    Ok(Done::ok(&answer, text))
}
