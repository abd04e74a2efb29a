//! `callmark config`: the commented default, what is in force, or a check of a file.

use anyhow::Result;

use crate::cli::{Common, ConfigArgs};
use crate::config::{self, Config};
use crate::{FINISHED, GATE};

pub fn config(args: &ConfigArgs, common: &Common) -> Result<u8> {
    if let Some(path) = &args.check {
        return Ok(match config::read_file(path) {
            Ok(_) => {
                println!("{}: ok", path.display());
                FINISHED
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                GATE
            }
        });
    }
    if !args.show {
        print!("{}", config::DEFAULT);
        return Ok(FINISHED);
    }
    let config = Config::load(common)?;
    for warning in config::misspelt_variables() {
        eprintln!("warning: {warning}");
    }
    // Dotted keys: the output is itself a configuration file.
    for (key, (value, origin)) in &config.settings {
        println!("{key} = {value}  # {origin}");
    }
    Ok(FINISHED)
}
