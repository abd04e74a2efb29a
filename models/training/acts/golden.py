"""Step 7: writes ../../tests/golden/acts-{en,zh}.json: what the Rust program must give for the shipped acts.onnx.

50 texts with the two turns before them: odd ones (nothing, emoji, control characters, 300 words), then turns of the test calls.
`before`: the turn before and the one before that (null: none); `embeddings`: of the three turns, by model.onnx, rounded as records keep
them; `roles` and `place` as the graph takes them; `ngrams`: this turn's buckets; `probabilities`: of manifest.toml's names in their order.
"""

import json

import numpy as np

from common import LANGUAGES, MODELS, SIZE, buckets
from dataset import Turns
from evaluate import Head
from features import TextModel

COUNT = 50
ODD = {
    "en": ["", " ", "\n\t ", "?!", "😀👍🏽", "thanks 😀", "\u0000\u0007", "good\u0007 morning\u200b", "don't don’t 'tis", "ＶＩＰ Ⅳ ½ ①", "İstanbul ΣΑΣ straße", "e\u0301te\u0301 café", "yes yes yes yes",
           "5 a.m. on 3/4, £19.99", "您好 hello", "\u202egoodbye", "word " * 300, "Thank you for holding, I have found your order and it will be with you on Friday. " * 20],
    "zh": ["", " ", "\n\t ", "？！", "😀👍🏽", "谢谢😀", "\u0000\u0007", "您\u0007好\u200b", "ＶＩＰ会员Ⅳ½①", "您好您好您好", "𠮷野家", "hello 您好 OK", "5月3号，19.99元", "\u202e再见", "嗯", "非常感謝您的幫助",
           "好的" * 150, "让您久等了，您的订单我查到了，星期五给您送到。" * 20],
}


def main():
    for language in LANGUAGES:
        head, model, turns = Head(language), TextModel(language), Turns(language)
        cases = [([text, "okay" if i % 2 else None, "嗯，好的" if i % 4 == 3 else None], [[1, -1, 0][i % 3], -1 if i % 2 else 0, 1 if i % 4 == 3 else 0],
                  [min(i, 10) / 10, 0.5]) for i, text in enumerate(ODD[language])]
        test = turns.of("test")
        # The first turns of two calls (nothing before them), then some of all calls.
        chosen = list(test[turns.context[test, 1] < 0][:2]) + list(test[:: len(test) // 40])
        for i in list(dict.fromkeys(chosen))[: COUNT - len(cases)]:
            near = [turns.turns[j]["text"] if j >= 0 else None for j in turns.context[i]]
            cases.append((near, turns.roles[i].tolist(), [round(float(p), 1) for p in turns.place[i]]))
        rows = []
        for texts, roles, place in cases:
            near = [model(text) if text is not None else np.zeros(SIZE, np.int8) for text in texts]
            ngrams = buckets(language, texts[0])
            probabilities = [round(float(p), 6) for p in head(near, roles, place, ngrams)]
            rows.append({"text": texts[0], "before": texts[1:], "embeddings": [e.tolist() for e in near], "roles": [int(r) for r in roles], "place": place, "ngrams": ngrams, "probabilities": probabilities})
        path = MODELS / f"tests/golden/acts-{language}.json"
        path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", encoding="utf-8")
        print(language, len(rows), "cases")


if __name__ == "__main__":
    main()
