//! The shipped Chinese text model against golden results that the training recipe wrote from Python: the same tokenizer, the
//! same numbers, on 200 texts among which are long ones, emoji, control characters, Latin, traditional characters and none.
//!
//! Needs ONNX Runtime: CALLMARK_ONNXRUNTIME=/path/to/libonnxruntime.so (out of the PyPI wheel `onnxruntime`).

mod golden_texts;

use std::path::Path;

use callmark_models::text_encoder::TextEncoder;
use golden_texts::{check, golden};

fn encoder() -> TextEncoder {
    let environment = callmark_models::runtime::onnx_runtime(None).expect("hint: run scripts/get-models");
    TextEncoder::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("text-zh"), environment).unwrap()
}

#[test]
fn rust_gives_what_python_gave() {
    let golden = golden("text-zh");
    assert_eq!(golden.len(), 200);
    check(&mut encoder(), &golden);
}

#[test]
fn what_else_is_encoded_changes_nothing() {
    let golden = golden("text-zh");
    let texts: Vec<&str> = golden.iter().map(|g| g.text.as_str()).take(40).collect();
    let mut encoder = encoder();
    let together = encoder.encode(&texts).unwrap();
    for (text, expected) in texts.iter().zip(&together).rev() {
        assert_eq!(encoder.encode(&[text]).unwrap()[0], *expected);
    }
}

#[test]
fn clear_cases_have_the_right_sign() {
    let texts = [
        ("你们的服务太差了，我要投诉", -1),
        ("等了三个星期也没有人给我回电话", -1),
        ("太好了，谢谢你的帮助", 1),
        ("请问您的订单号是多少", 0),
    ];
    let mut encoder = encoder();
    for (text, sign) in texts {
        let s = encoder.encode(&[text]).unwrap()[0].sentiment;
        let highest = s.negative_permille.max(s.neutral_permille).max(s.positive_permille);
        let of = |sign: i32| match sign {
            -1 => s.negative_permille,
            0 => s.neutral_permille,
            _ => s.positive_permille,
        };
        assert_eq!(of(sign), highest, "{text}: {s:?}");
    }
}

#[test]
fn paraphrases_are_nearer_than_other_sentences() {
    let texts = ["本次通话将会被录音", "我们会对这通电话进行录音", "我想用银行卡付款"];
    let r = encoder().encode(&texts).unwrap();
    let same = r[0].embedding.similarity_permille(&r[1].embedding);
    let other = r[0].embedding.similarity_permille(&r[2].embedding);
    assert!(same >= 500 && other <= 300, "{same} {other}");
}
