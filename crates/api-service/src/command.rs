//! The service as a program.

use std::{error::Error, process::ExitCode};

use platform::Program;

use crate::{app::Application, settings::Settings};

/// Runs the service until it is told to stop, or, with `end_with_parent`, until standard input ends: see
/// [`Program::run`].
#[must_use]
pub fn run(end_with_parent: bool) -> ExitCode {
    let program = Program {
        name: "api-service",
        about: "The product's database and every route that a frontend calls.",
        areas: Settings::AREAS.to_vec(),
    };
    program.run(end_with_parent, Settings::read, async |settings, mut process| {
        let Some(application) = process.start(Box::pin(Application::build(settings))).await? else {
            return Ok(());
        };
        process.tell_address(application.address());
        application.run_until_stopped(process.stop_requested()).await?;
        Ok::<(), Box<dyn Error>>(())
    })
}
