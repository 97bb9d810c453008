//! The service as a program: its name, and what it is made of.

use std::process::ExitCode;

use platform::Program;

use crate::{app::Application, settings::Settings};

/// Runs the service until it is told to stop, or, with `end_with_parent`, until standard input ends: see
/// [`Program::serve`].
#[must_use]
pub fn run(end_with_parent: bool) -> ExitCode {
    let program = Program {
        name: "worker-service",
        about: "Job state, the queue and the making of the video.",
        areas: Settings::areas(),
    };
    program.serve(
        end_with_parent,
        Settings::read,
        Application::build,
        Application::address,
        Application::run_until_stopped,
    )
}
