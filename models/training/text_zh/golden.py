"""Step 9: writes ../../tests/golden/text-zh.json, what the Rust program must give for the shipped file (within 1 per mille).

200 texts: call sentences of this project, long ones, emoji, control characters, Latin, traditional characters, no words.
`sentiment` in per mille (largest remainder), `logits` for the comparison to 1e-4, `embedding` the int8 vector's first 16
values, `similar` the similarity in per mille to the first text. No letter or digit: neutral, and similar to nothing.
"""

import json

import numpy as np

from common import HERE, OUT, read_tsv
from evaluate import Model
from measures import per_mille

SPECIAL = [
    "本次通话将会被录音。", "我们会对这通电话进行录音", "", " ", "\n\t ", "……！", "？", "😀😡", "谢谢😀", "太生气了😡😡😡", "👨‍👩‍👧 我们一家", "\u0000", "\u0007好的\u0007",
    "您\u200b好", "好\u00a0的", "您好\r\n再见", "\ufeff您好", "ＶＩＰ会员１２３", "我要办VIP会员", "iPhone 15 Pro Max 多少钱", "WiFi连不上", "OK", "ok ok ok", "hello, 请问是客服吗",
    "this is English", "您好，請問有什麼可以幫您？", "非常感謝您的幫助", "這個服務太差了，我要投訴", "本次通話將會被錄音", "請您稍等一下", "龘靐齉", "𠮷野家", "の", "カスタマー", "안녕하세요",
    "Спасибо", "🈶️", "①②③", "㈱", "100%", "¥299.00", "3月15日14:30", "13800138000", "一二三四五六七八九十", "嗯", "啊", "哦", "好", "不", "谢谢", "不好", "不是不好", "不满意", "没有不满意",
    "<s>", "</s>", "<unk>", "<pad>", "<s>您好</s>", "▁▁", "▁您好", "a", "1", "。好。", "  好  的  ", "您好" * 100, "我要投诉" * 60, "谢谢" * 200, "a b c d " * 60, "长" * 3000, "😀" * 200 + "好",
    "我想问一下我上个月的账单为什么多了五十块钱我打了好几次电话都没有人给我一个说法你们到底能不能解决" * 4, "e\u0301te\u0301", "ﬁne", "\u202e您好", "好\u0300", "ⅣⅤ", "½", "：）", "^_^ 谢谢", "T_T",
]


def main():
    model = Model()
    sentences = [row[1] for row in read_tsv(HERE / "data/call_heldout.tsv")] + [row[1] for row in read_tsv(HERE / "data/pairs.tsv")]
    texts = SPECIAL + [t for t in dict.fromkeys(sentences) if t not in SPECIAL][: 200 - len(SPECIAL)]
    rows, first = [], None
    for text in texts:
        if any(c.isalnum() for c in text):
            encoding = model.tokenizer.encode(text)
            vector, logits = model.session.run(["embedding", "sentiment"], {"ids": [encoding.ids], "mask": [encoding.attention_mask]})
            e = np.exp(logits[0].astype(np.float64) - logits[0].max())
            q, sentiment, logits = np.clip(np.rint(vector[0] * 127), -127, 127).astype(int), per_mille(e / e.sum()), [round(float(x), 6) for x in logits[0]]
        else:
            q, sentiment, logits = np.zeros(384, int), [0, 1000, 0], None
        first = q if first is None else first
        length = np.sqrt(float((first @ first) * (q @ q)))
        rows.append({"text": text, "sentiment": sentiment, "logits": logits, "embedding": q[:16].tolist(), "similar": int((first @ q) * 1000 / length) if length else 0})
    path = OUT.parent / "tests/golden/text-zh.json"
    path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", encoding="utf-8")
    print(len(rows), "texts")


if __name__ == "__main__":
    main()
