"""Step 9: writes ../../tests/golden/text-zh.json, what the Rust program must give for the shipped file.

200 texts: call sentences of this project, long ones, emoji, control characters, Latin, traditional characters, no words.
"""

from common import HERE, OUT, read_tsv
from golden_file import write
from shipped import Model

SPECIAL = [
    "本次通话将会被录音。", "我们会对这通电话进行录音", "", " ", "\n\t ", "……！", "？", "😀😡", "谢谢😀", "太生气了😡😡😡", "👨‍👩‍👧 我们一家", "\u0000", "\u0007好的\u0007",
    "您\u200b好", "好\u00a0的", "您好\r\n再见", "\ufeff您好", "ＶＩＰ会员１２３", "我要办VIP会员", "iPhone 15 Pro Max 多少钱", "WiFi连不上", "OK", "ok ok ok", "hello, 请问是客服吗",
    "this is English", "您好，請問有什麼可以幫您？", "非常感謝您的幫助", "這個服務太差了，我要投訴", "本次通話將會被錄音", "請您稍等一下", "龘靐齉", "𠮷野家", "の", "カスタマー", "안녕하세요",
    "Спасибо", "🈶️", "①②③", "㈱", "100%", "¥299.00", "3月15日14:30", "13800138000", "一二三四五六七八九十", "嗯", "啊", "哦", "好", "不", "谢谢", "不好", "不是不好", "不满意", "没有不满意",
    "<s>", "</s>", "<unk>", "<pad>", "<s>您好</s>", "▁▁", "▁您好", "a", "1", "。好。", "  好  的  ", "您好" * 100, "我要投诉" * 60, "谢谢" * 200, "a b c d " * 60, "长" * 3000, "😀" * 200 + "好",
    "我想问一下我上个月的账单为什么多了五十块钱我打了好几次电话都没有人给我一个说法你们到底能不能解决" * 4, "e\u0301te\u0301", "ﬁne", "\u202e您好", "好\u0300", "ⅣⅤ", "½", "：）", "^_^ 谢谢", "T_T",
]


def main():
    sentences = [row[1] for row in read_tsv(HERE / "data/call_heldout.tsv")] + [row[1] for row in read_tsv(HERE / "data/pairs.tsv")]
    texts = SPECIAL + [t for t in dict.fromkeys(sentences) if t not in SPECIAL][: 200 - len(SPECIAL)]
    write(Model(OUT), texts, OUT.parent / "tests/golden/text-zh.json")


if __name__ == "__main__":
    main()
