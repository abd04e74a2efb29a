"""Writes accuracy.json: Whisper's English normaliser and jiwer's alignments as fixtures for callmark_core::accuracy.

Run: python tests/oracles/accuracy_oracle.py   (needs whisper-normalizer and jiwer; the JSON is committed)
"""

import json
import pathlib
import random

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

SENTENCES = """
Hello, this call is recorded for quality and training purposes.
Um, I'd like to, uh, cancel my policy -- it's too expensive!
We won't charge you; you can't lose, and they've already agreed.
Let's see: the total is twenty one dollars and fifty cents.
Your balance is $1,234.56 and the fee is two dollars and seven cents.
That's one hundred and five pounds per month.
My number is five five five, one two three four.
It was founded in nineteen ninety nine.
The rate went up by twenty percent, then by 3.5 percent.
Call me back on the twenty first of March at half past three.
He's the second customer, she'd been the first.
Minus five degrees, plus two.
I'm gonna need your date of birth, please, ma'am.
[silence] Okay. (inaudible) Thank you <noise>.
We've got two and a half minutes.
The centre's colour was grey; I apologise for the behaviour.
Dr. Smith and Mr. Jones travelled to St. Louis.
That will be three point five million.
It costs two thousand five hundred and sixty three.
Double five seven nine.
I was born in the nineties, around ninety five.
One moment please. One or two, that's the question.
Thirty day trial: you'd pay nothing; it'll renew at forty nine ninety nine.
She said "yes" — really?
café naïve résumé
The code is zero zero seven.
You owe us seventy five euros and nine cents.
We open at nine o'clock.
There's a fifteen percent discount on the sixth month.
The third one's free, isn't it?
Eleven hundred people called.
I have 2 cars and 10,000 miles.
A hundred times better.
Five per cent of ten thousand is five hundred.
Y'all wanna know what's been done?
it cost 20 dollars
No. 5 on the list, at 3.30 p.m.
We recognised your organisation's instalment, and finalised the colouring in two centres.
I'm apologising for the unauthorised charge on your grey jewellery; it was labelled as a catalogue offence.
Would you prioritise the personalised neighbourhood programme, or the specialised travellers' one?
The modelled dialogue counselling was itemised at four litres and eleven metres.
It's a hundred and twenty euros and fifty cents, or twelve hundred pounds.
That's one thousand, two hundred and thirty four dollars; you'd paid three quarters.
My card ends in four two double four, expiry oh nine slash twenty seven.
They shouldn't've, he'd've, I'd rather, she'll, who's and it's been.
Mhm, yeah. Hmm, I see; uh, mm.
The first, the second and the twenty third; the two thousands.
""".strip().splitlines()

normalise = EnglishTextNormalizer()
out = {"normalise_english": [{"text": s, "expected": normalise(s)} for s in SENTENCES]}

rng = random.Random(7)
words = "the call is recorded for quality and your policy ends in may we can check it".split()
pairs = []
for length in (1, 2, 5, 12, 40, 200):
    for rate in (0.0, 0.1, 0.4, 1.0):
        reference = [rng.choice(words) for _ in range(length)]
        hypothesis = []
        for word in reference:
            if rng.random() >= rate:
                hypothesis.append(word)
            else:
                kind = rng.randrange(3)
                if kind == 0:
                    hypothesis.append(rng.choice(words))
                elif kind == 1:
                    hypothesis += [word, rng.choice(words)]
        pairs.append((" ".join(reference), " ".join(hypothesis)))
pairs.append(("您好本次通话将被录音", "您好本次通话将被路音吗"))

out["errors"] = []
for reference, hypothesis in pairs:
    measure = jiwer.process_characters if not reference.isascii() else jiwer.process_words
    found = measure(reference, hypothesis)
    out["errors"].append({
        "reference": reference,
        "hypothesis": hypothesis,
        "errors": found.substitutions + found.deletions + found.insertions,
        "deletions_less_insertions": found.deletions - found.insertions,
    })

path = pathlib.Path(__file__).with_name("accuracy.json")
path.write_text(json.dumps(out, indent=1, ensure_ascii=False) + "\n")
