//! `cargo xtask page-report`: the page measured in a browser, as somebody has it who runs the binary. Every view is
//! examined by axe, its main pages by Lighthouse, its first load is weighed, and all of it is written down. It is no part
//! of CI: it takes minutes, and scores are worth something only where nothing else runs.

use std::{env, path::PathBuf, process::Command};

use anyhow::Result;
use clap::Args;

use crate::{
    client, step,
    test::{CHROMIUM, NODE, PAGE, Program},
};

/// What Lighthouse needs, apart from what the page does, which CI installs each time.
const FOLDER: &str = "crates/api-service/web/report";
/// The README's pictures.
const IMAGES: &str = "docs/images";

/// What else it makes.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Also make the README's pictures anew, in docs/images.
    #[arg(long)]
    images: bool,
}

/// The task itself.
pub(crate) fn run(options: &Options) -> Result<()> {
    [NODE, client::NPM, CHROMIUM].iter().try_for_each(Program::ensure)?;
    let binary = if let Some(binary) = env::var_os(client::BINARY) {
        // One that is there already.
        PathBuf::from(binary)
    } else {
        step::run(&mut client::build())?;
        client::binary()
    };
    for folder in [PAGE, FOLDER] {
        step::run(&mut client::npm(folder, &["ci", "--no-audit", "--no-fund"]))?;
    }
    step::run(report(options).env(client::BINARY, binary))
}

/// The program that measures.
fn report(options: &Options) -> Command {
    let mut node = step::command("node", &[]);
    node.arg(format!("{FOLDER}/report.mjs")).arg(client::target().join("page-report"));
    if options.images {
        node.arg("--images").arg(crate::root().join(IMAGES));
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readmes_pictures_are_made_where_that_is_asked_for() {
        let arguments = |images| {
            let command = report(&Options { images });
            let arguments = command.get_args().map(|one| one.to_string_lossy().into_owned());
            arguments.collect::<Vec<_>>()
        };
        let plain = arguments(false);
        assert_eq!(plain[0], "crates/api-service/web/report/report.mjs");
        assert!(plain[1].ends_with("page-report"), "{plain:?}");
        let more = arguments(true);
        assert_eq!((&more[..2], more[2].as_str()), (&plain[..], "--images"));
        assert!(more[3].ends_with("docs/images"), "{more:?}");
    }
}
