//! Prints the acts that phrases alone find in labelled turns (`turn<TAB>role<TAB>text…`, as models/training/acts/data), one line a turn:
//! `turn<TAB>act,act…`. What a trained head of acts is compared with.
//!
//! cargo run --release -p callmark-core --example act_phrases LANGUAGE FILE

use callmark_core::acts::ActLexicon;
use callmark_core::recording::Language;
use callmark_core::transcript::{Role, Transcript, Turn};

struct Labelled {
    id: String,
    turn: Turn,
}

#[allow(clippy::disallowed_methods, reason = "an example may read its file; core itself does no I/O")]
fn read(file: &str) -> Vec<Labelled> {
    let text = std::fs::read_to_string(file).expect("the file of labelled turns");
    let labelled = |line: &str| {
        let mut fields = line.split('\t');
        let mut field = || fields.next().expect("turn, role and text").to_string();
        let (id, role, text) = (field(), field(), field());
        let role = match role.as_str() {
            "rep" => Role::Rep,
            "customer" => Role::Customer,
            other => panic!("{id}: {other} is neither rep nor customer"),
        };
        let turn = Turn { role, text, begin_ms: 0, end_ms: 0, words: Vec::new(), confidence_permille: 1000 };
        Labelled { id, turn }
    };
    text.lines().skip(1).map(labelled).collect()
}

/// `ena1.02` is a turn of the call `ena1`.
fn call_of(labelled: &Labelled) -> &str {
    labelled.id.rsplit_once('.').map_or(&labelled.id, |(call, _)| call)
}

#[allow(clippy::print_stdout, clippy::disallowed_methods)]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [language, file] = arguments.as_slice() else { panic!("LANGUAGE FILE") };
    let language = Language::parse(language).expect("en or zh");
    for call in read(file).chunk_by(|one, next| call_of(one) == call_of(next)) {
        let turns = call.iter().map(|labelled| labelled.turn.clone()).collect();
        let transcript = Transcript { language: Some(language), turns, ..Transcript::default() };
        for (labelled, acts) in call.iter().zip(ActLexicon::built_in().label(&transcript)) {
            println!("{}\t{}", labelled.id, acts.into_keys().collect::<Vec<_>>().join(","));
        }
    }
}
