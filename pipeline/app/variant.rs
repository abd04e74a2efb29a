//! Which build of the program runs here. A package holds the program once per instruction set, because whisper.cpp fixes
//! its own when it is compiled: the portable one starts and gives its place to the fastest that this processor can run.
//! Only whisper.cpp differs between them. Its sums round differently, so transcripts are equal for equal variants only.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// This build: one of [`VARIANTS`] in a package, else `native` (for the processor that compiled it, see .cargo/config.toml).
const NAME: &str = env!("CALLMARK_BUILD_VARIANT");
/// Chooses a variant by name instead of the fastest.
const VARIABLE: &str = "CALLMARK_VARIANT";

struct Variant {
    name: &'static str,
    /// What is missing, in words.
    needs: &'static str,
    fits: fn() -> bool,
}

/// Fastest first; `scripts/package` compiles exactly these. One with AVX-512 was not faster than AVX2 on the sample calls.
const VARIANTS: [Variant; 2] = [
    Variant { name: "avx2", needs: "AVX2, FMA, F16C and BMI2 (most processors since 2013)", fits: has_avx2 },
    Variant { name: PORTABLE, needs: "SSE 4.2 (every x86-64 processor since 2011)", fits: has_sse42 },
];
const PORTABLE: &str = "portable";
const NATIVE: &str = "native";

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    has_sse42()
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("bmi2")
}

#[cfg(target_arch = "x86_64")]
fn has_sse42() -> bool {
    is_x86_feature_detected!("sse4.2") && is_x86_feature_detected!("popcnt")
}

/// Packages are made for x86-64 only.
#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}
#[cfg(not(target_arch = "x86_64"))]
fn has_sse42() -> bool {
    false
}

/// Replaces this process by the variant that is to run. Returns when this program is already the one.
pub fn replace_process() -> Result<()> {
    if NAME == NATIVE {
        return Ok(());
    }
    if let Some(own) = VARIANTS.iter().find(|v| v.name == NAME && !(v.fits)()) {
        bail!(
            "this program ({NAME}) needs a processor with {}\nhint: start bin/callmark of the package, which chooses",
            own.needs
        );
    }
    if NAME != PORTABLE {
        return Ok(());
    }
    let folder = std::env::current_exe()?.canonicalize()?.with_file_name("../lib/callmark");
    let wished = std::env::var(VARIABLE).ok().filter(|name| !name.is_empty());
    let Some(program) = choose(&folder, wished.as_deref(), |v| (v.fits)())? else { return Ok(()) };
    let mut arguments = std::env::args_os();
    let own_name = arguments.next().unwrap_or_else(|| "callmark".into());
    let error = Command::new(&program).arg0(own_name).args(arguments).exec();
    bail!(
        "{} cannot be started: {error}\nhint: install the package again, or set {VARIABLE}={PORTABLE}",
        program.display()
    )
}

/// The program in `folder` to run instead of the portable one, if any.
fn choose(folder: &Path, wished: Option<&str>, fits: impl Fn(&Variant) -> bool) -> Result<Option<PathBuf>> {
    let program = |variant: &Variant| folder.join(format!("callmark-{}", variant.name));
    let Some(wished) = wished else {
        let best = VARIANTS.iter().find(|v| v.name == PORTABLE || (fits(v) && program(v).is_file()));
        return Ok(best.filter(|v| v.name != PORTABLE).map(program));
    };
    let Some(variant) = VARIANTS.iter().find(|v| v.name == wished) else {
        let names: Vec<&str> = VARIANTS.iter().map(|v| v.name).collect();
        bail!("{VARIABLE} is set to `{wished}`\nhint: unset it, or choose one of {}", names.join(", "));
    };
    if variant.name == PORTABLE {
        return Ok(None);
    }
    if !fits(variant) {
        bail!("{VARIABLE}={wished} needs a processor with {}\nhint: unset {VARIABLE}", variant.needs);
    }
    if !program(variant).is_file() {
        bail!(
            "{VARIABLE}={wished}, but there is no {}\nhint: unset {VARIABLE}, or install the package again",
            program(variant).display()
        );
    }
    Ok(Some(program(variant)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A processor that has what these variants need.
    fn processor(variants: &'static [&'static str]) -> impl Fn(&Variant) -> bool {
        move |variant| variants.contains(&variant.name)
    }

    #[test]
    fn the_fastest_that_fits_and_is_installed_runs() {
        let folder = tempfile::tempdir().unwrap();
        let chosen = |fits: &'static [&'static str]| {
            let program = choose(folder.path(), None, processor(fits)).unwrap();
            program.map(|p| p.file_name().unwrap().to_str().unwrap().to_string())
        };
        let modern = &["avx2", "portable"];
        assert_eq!(chosen(modern), None, "nothing is installed beside the portable program");
        std::fs::write(folder.path().join("callmark-avx2"), "").unwrap();
        assert_eq!(chosen(modern).as_deref(), Some("callmark-avx2"));
        assert_eq!(chosen(&["portable"]), None);
    }

    #[test]
    fn a_wish_is_met_or_refused_never_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let wish = |name: &str, fits| choose(folder.path(), Some(name), processor(fits)).map_err(|e| e.to_string());
        let (modern, old): (&'static [_], &'static [_]) = (&["avx2", "portable"], &["portable"]);
        for (name, fits, cause) in
            [("avx2", old, "needs a processor"), ("avx2", modern, "there is no"), ("avx1024", modern, "choose one of")]
        {
            let error = wish(name, fits).unwrap_err();
            assert!(error.contains(cause) && error.contains("hint:"), "{error}");
        }
        std::fs::write(folder.path().join("callmark-avx2"), "").unwrap();
        assert!(wish("avx2", modern).unwrap().is_some());
        assert_eq!(wish("portable", modern), Ok(None));
    }

    #[test]
    fn a_program_compiled_from_source_is_native() {
        assert_eq!(NAME, NATIVE);
        assert!(replace_process().is_ok());
    }
}
