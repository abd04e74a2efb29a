"""Step 7: writes ../../tests/golden/text-en.json, what the Rust program must give for the shipped file.

200 texts: call sentences of this project, long ones, emoji, control characters, other scripts, no words.
"""

from common import HERE, OUT, read_tsv
from golden_file import write
from shipped import Model

SPECIAL = [
    "This call is recorded for quality and training.", "we record calls for training and quality purposes", "", " ", "\n\t ", "…!", "?", "😀😡", "thanks 😀", "so angry 😡😡😡", "👨\u200d👩\u200d👧 my family",
    "\u0000", "\u0007okay\u0007", "he\u200bllo", "all\u00a0right", "hello\r\nbye", "\ufeffhello", "ＶＩＰ ｍｅｍｂｅｒ １２３", "iPhone 15 Pro Max?", "WiFi", "OK", "ok ok ok", "I don\u2019t think caf\u00e9 owners pay \u00a330 \u2014 do they?",
    "e\u0301te\u0301", "ﬁne", "\u202ehello", "½", "Ⅳ", "①②③", "100%", "$299.00", "3/15 14:30", "+1 (555) 010-0199", "one two three four", "um", "uh huh", "no", "not bad", "not not bad", "yes", "okay",
    "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[CLS] hello [SEP]", "##ing", "a", "1", ". a .", "  a   b  ", "THIS IS RIDICULOUS", "this is ridiculous", "Thank you, that's great!", "that would be fine", "my account number is one two three",
    "That's far too expensive for us.", "you've been so helpful, honestly the best service I've had in years", "stop calling me I already told you I am not interested", "a b c d " * 60, "hello " * 200, "x" * 3000,
    "antidisestablishmentarianism", "😀" * 200 + "ok", "I have been waiting for three weeks and nobody called me back " * 4, "您好，请问有什么可以帮您？", "カスタマー", "Спасибо", "안녕하세요", "𝓱𝓮𝓵𝓵𝓸", ":-)", "^_^ thanks", "m'kay", "y'all're", "co-operate", "e-mail@example.com",
    "https://example.com/?a=b&c=d", "<b>bold</b>", "'; DROP TABLE calls; --", "\\n", "%s %d {0}",
]


def main():
    sentences = [row[1] for name in ["call_heldout", "paraphrases"] for row in read_tsv(HERE / f"data/{name}.tsv")]
    texts = SPECIAL + [t for t in dict.fromkeys(sentences) if t not in SPECIAL][: 200 - len(SPECIAL)]
    write(Model(OUT), texts, OUT.parent / "tests/golden/text-en.json")


if __name__ == "__main__":
    main()
