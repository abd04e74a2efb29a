"""Step 7: simple baselines on the rows of CPED, written to build/baselines.json for ../sentiment/evaluate.py.

    python baseline.py

TF-IDF of 1 to 3 characters with logistic regression, trained on the same training shows (clean rows), strength and class
weights chosen on the tuning show; alone, with the two turns before, and beside the speaker's other turns as our own model's readings are
(../sentiment/context.py, weight and decay chosen there too). Also SnowNLP 0.12.3's own sentiment score (limits
chosen on the tuning show), a short list of polar words, and the most frequent class of training.
"""

import json
import sys

import numpy as np
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from common import BUILD, HERE, LABELS, cped
from measures import accuracy, macro_f1
from shipped import says

sys.path.insert(0, str(HERE.parent / "sentiment"))
from context import in_context  # noqa: E402

TUNING_SHOW = "44"
BAD = "不好 不行 不要 不能 不会 不想 讨厌 生气 难过 烦 滚 死 骗 坏 错 糟 差 恨 怕 哭 气 累 疼 痛 惨 丢 混蛋 傻 笨 胡说 凭什么 怎么能 对不起 抱歉 失望 担心 着急 麻烦 可惜 倒霉 后悔 投诉 太过分".split()
GOOD = "谢谢 感谢 太好 真好 很好 挺好 不错 喜欢 高兴 开心 爱 恭喜 放心 满意 漂亮 厉害 棒 幸福 快乐 好吃 舒服 哈哈 嘿嘿 可爱 优秀 佩服 祝 帅 成功 好看".split()


def words(text):
    score = sum(text.count(w) for w in GOOD) - sum(text.count(w) for w in BAD)
    return 0 if score < 0 else 2 if score > 0 else 1


def with_context(rows, turns=2):
    """The turns before in the same dialogue, joined."""
    texts, before, dialogue = [], [], None
    for r in rows:
        if r["dialogue"] != dialogue:
            before, dialogue = [], r["dialogue"]
        texts.append(" ".join(before[-turns:]))
        before.append(r["text"])
    return texts


def main():
    shows, test = cped("train"), cped("test")
    rows = {"train": [r for r in shows if r["tv"] != TUNING_SHOW], "tune": [r for r in shows if r["tv"] == TUNING_SHOW], "test": test}
    y = {part: np.array([LABELS.index(r["sentiment"]) for r in rows[part]]) for part in rows}
    text = {part: [r["text"] for r in rows[part]] for part in rows}
    vectorizer = lambda: TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    alone, context = vectorizer(), vectorizer()
    x = {"train": alone.fit_transform(text["train"])}
    c = {"train": context.fit_transform(with_context(rows["train"]))}
    for part in ["tune", "test"]:
        x[part], c[part] = alone.transform(text[part]), context.transform(with_context(rows[part]))
    both = {part: hstack([x[part], c[part]]).tocsr() for part in x}
    best = None
    guesses = {"majority class": np.full(len(y["test"]), np.bincount(y["train"]).argmax())}
    for name, features in (("TF-IDF + linear", x), ("TF-IDF + linear, with two turns before", both)):
        # Context: with the strength and weights that were best for turns alone.
        best, grid = (-1,), [(a, b) for a in (0.3, 1, 3) for b in (None, "balanced")] if features is x else [best[1:3]]
        for strength, balance in grid:
            model = LogisticRegression(C=strength, class_weight=balance, max_iter=200).fit(features["train"], y["train"])
            f1 = macro_f1(y["tune"], model.predict(features["tune"]))
            best = max(best, (f1, strength, balance, model), key=lambda b: b[0])
        print(name, "tuning macro-F1 %.4f" % best[0], "C", best[1], best[2])
        guesses[name] = best[3].predict(features["test"])
        if features is x:
            told = {part: ([r["dialogue"] for r in rows[part]], [r["speaker"] for r in rows[part]]) for part in ("tune", "test")}
            beside = lambda part, *how: in_context(best[3].predict_proba(x[part]), np.array([says(t) for t in text[part]]), *told[part], *how).argmax(1)
            f1, *how = max((macro_f1(y["tune"], beside("tune", weight, decay)), weight, decay) for weight in (0.05, 0.1, 0.2, 0.3, 0.5) for decay in (0.5, 0.7, 0.8, 0.9))
            print("in context: tuning macro-F1 %.4f" % f1, "weight and decay", how)
            guesses["TF-IDF + linear, in context"] = beside("test", *how)
    guesses["polar words"] = np.array([words(t) for t in text["test"]])
    try:
        from snownlp import SnowNLP
        score = {part: np.array([SnowNLP(t).sentiments if t.strip() else 0.5 for t in text[part]]) for part in ["tune", "test"]}
        cut = lambda s, low, high: np.where(s < low, 0, np.where(s > high, 2, 1))
        low, high = max(((a, b) for a in np.arange(0.1, 0.6, 0.1) for b in np.arange(0.5, 1, 0.1) if a <= b), key=lambda p: macro_f1(y["tune"], cut(score["tune"], *p)))
        guesses["SnowNLP 0.12.3"] = cut(score["test"], low, high)
        print("SnowNLP limits", low, high)
    except ImportError:
        print("SnowNLP is not installed: left out")
    for name, guess in guesses.items():
        print(f"{name}: test accuracy {accuracy(y['test'], guess):.4f}, macro-F1 {macro_f1(y['test'], guess):.4f}")
    json.dump({k: np.asarray(v).tolist() for k, v in guesses.items()}, open(BUILD / "baselines.json", "w"))


if __name__ == "__main__":
    main()
