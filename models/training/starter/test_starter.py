"""Fast checks of the recipe's parts: no training and no synthesiser. `python -m pytest models/training/starter`.

Needs requirements.txt; without torch the tests are skipped."""

import json
import random
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")
sys.path.insert(0, str(Path(__file__).parent))

import batches
import channel
import export
import grammar
import held_out
import network
import sounds
import windows
from synthesise import write_shard


@pytest.fixture
def words_as_tokens():
    """A stand-in for the byte-pair tokens: a token a word, digits apart."""

    class WordTokens:
        text = {index: word.encode() for index, word in enumerate(["hello", "there", "$", "4", "."])}

        def encode_word(self, word):
            number = {text.decode(): index for index, text in self.text.items()}
            return [number[part] for part in (["$", "4", "."] if word == "$4." else [word.lower()])]

    return WordTokens()


def utterances(tmp_path, tokens, voices=("flite:slt",)):
    """Shards with utterances of 2 s that say "hello there $4."."""
    for voice in voices:
        stem = tmp_path / voice.replace(":", "-")
        words = [("hello", 0.1, 0.6), ("there", 0.7, 1.2), ("$4.", 1.3, 1.9)]
        item = dict(off=0, n=200, words=words, voice=voice, text="hello there $4.")
        mel = np.random.default_rng(1).integers(60, 200, (200, 80)).astype(np.uint8)
        write_shard(stem, mel, np.zeros(100, np.uint8), [item])
    return windows.Utterances(tmp_path, tokens, {token: token for token in tokens.text}, {"flite": 1.0})


def batch_maker(tmp_path, tokens):
    special = dict(end_of_text=5, start=6, previous=7, no_speech=8, no_timestamps=9, first_stamp=10)
    maker = windows.WindowMaker(utterances(tmp_path, tokens), random.Random(1), np.random.default_rng(1))
    return batches.BatchMaker(maker, batches.Rows(**special), (0, 1))


def test_numbers_are_written_and_spoken():
    rng = random.Random(3)
    assert grammar.say_number(1999, rng).replace(" and", "") == "one thousand nine hundred ninety nine"
    assert [grammar.say_ordinal(n) for n in (3, 20, 21, 30)] == ["third", "twentieth", "twenty first", "thirtieth"]
    assert [f"{n}{grammar.ordinal_ending(n)}" for n in (1, 2, 3, 11, 22)] == ["1st", "2nd", "3rd", "11th", "22nd"]
    sentence = grammar._words(grammar.marked("$12.50", "twelve dollars fifty") + ", Mr. Hill.")
    assert grammar.written(sentence) == "$12.50, Mr. Hill."
    assert grammar.spoken(sentence) == "twelve dollars fifty, Mister Hill."


def test_every_template_expands():
    drawn = grammar.Grammar(random.Random(1))
    for section, templates in drawn.templates.items():
        for template in templates:
            sentence = drawn.sentence(template)
            assert sentence, f"{section}: {template}"
            assert not set(grammar.written(sentence)) & set("()|<>\u27e6\u27e7"), template


def test_held_out_rule_ignores_case_and_punctuation_and_takes_three_percent():
    assert held_out.sentence_key("Hello, there!") == held_out.sentence_key("hello there")
    share = np.mean([held_out.is_held_out_sentence(f"sentence number {n}") for n in range(20_000)])
    assert 0.025 < share < 0.035
    assert not set(held_out.ESPEAK_TRAIN) & set(held_out.ESPEAK_HELD_OUT)
    assert not set(held_out.FLITE_TRAIN) & set(held_out.FLITE_HELD_OUT)
    assert not set(held_out.FESTIVAL_TRAIN) & set(held_out.FESTIVAL_HELD_OUT)


def test_a_window_hands_over_at_the_first_utterance_after_ten_seconds(tmp_path, words_as_tokens):
    maker = batch_maker(tmp_path, words_as_tokens)
    word = lambda at_s: [windows.Word("hello", at_s, at_s + 0.5)]
    segments = [windows.Segment(word(at_s), False) for at_s in (0.5, 8.0, 12.0, 20.0)]
    mixture = batches.Mixture((30.0,), {}, 0.0, corrupt_share=0.0, stampless_share=0.0)
    answer = maker.answer(segments, mixture, 30.0, 0)
    stamps = [row - 10 for row in answer.expected if row >= 10]
    assert stamps == [5, 10, 80, 85, 118], "begin and end of two utterances, then 0.2 s before the third"
    assert answer.expected[-1] == maker.rows.end_of_text
    assert answer.expected.count(0) == 2, "only the first two are written"


def test_no_speech_is_answered_by_no_text(tmp_path, words_as_tokens):
    maker = batch_maker(tmp_path, words_as_tokens)
    mixture = batches.Mixture((3.0,), {"silent": 1.0}, 0.0, 0.0)
    batch = maker.make(mixture, 12.0)
    text_rows = (batch["expected"] >= 0) & (batch["expected"] < 5)
    assert batch["mel"].shape == (4, 80, 300) and not text_rows.any()
    assert np.isfinite(batch["mel"]).all()


def test_windows_keep_word_times_inside_the_window(tmp_path, words_as_tokens):
    maker = batch_maker(tmp_path, words_as_tokens).windows
    for _ in range(50):
        mel, labels, segments = maker.window(9.0, "pack", 0.3)
        assert mel.shape == (900, 80) and labels.shape == (450,)
        times = [word.begin_s for segment in segments for word in segment.words]
        assert times == sorted(times)


def test_power_adds_in_the_log_domain():
    assert np.allclose(windows.add_power(np.float32([0, -3]), np.float32([0, 1])), np.log10([2, 10.001]), atol=1e-3)


def test_warps_keep_the_total_of_a_flat_spectrum():
    assert np.allclose(windows.formant_warps().sum(1), 1, atol=1e-5)


def test_quantised_blocks_decode_to_the_weights():
    values = np.random.default_rng(2).standard_normal((4, 64)).astype(np.float16).astype(np.float32)
    blocks = np.frombuffer(export.quantise(values, "q8_0"), np.dtype([("scale", "<f2"), ("steps", "i1", 32)]))
    decoded = blocks["scale"].astype(np.float32)[:, None] * blocks["steps"]
    assert np.abs(decoded - values.reshape(-1, 32)).max() < np.abs(values).max() / 127
    assert len(export.quantise(values, "q5_1")) == values.size // 32 * 24


def test_the_network_gives_untrained_tokens_no_chance():
    model = network.Recogniser(64, 1, 1, 1, used_tokens=[3, 7], phones=4)
    arrays = export.tensors(model, dict(d=64, used=[3, 7]))
    hidden = np.random.default_rng(1).standard_normal(64)
    hidden[-1] = 1  # the final norm's constant channel
    logits = arrays["decoder.token_embedding.weight"] @ hidden
    assert logits[[3, 7]].min() > logits[5] + 20


def test_mulaw_keeps_the_signal_and_noise_has_unit_level():
    wave = 0.3 * np.sin(np.arange(8000) / 5)
    assert np.abs(channel.mulaw(wave) - wave).max() < 0.02
    noise = channel.line_noise(np.random.default_rng(1), 8000)
    assert abs(np.sqrt((noise**2).mean()) - 1) < 1e-3


def test_random_sounds_fit_into_full_scale():
    generator = np.random.default_rng(5)
    for _ in range(30):
        sound = sounds.random_sound(generator, 2.0)
        assert len(sound) == 16_000 and np.isfinite(sound).all() and np.abs(sound).max() <= 1


def test_phone_inventory_is_what_the_weights_have():
    inventory = json.loads((Path(__file__).parent / "inventory.json").read_text())
    assert (len(inventory["R"]), len(inventory["E"])) == (41, 66)
