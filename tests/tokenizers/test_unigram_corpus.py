"""Cutting a corpus into stretches."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.tokenizers.scripts import script_codes
from llm_course.tokenizers.unigram_corpus import count_words, covered_characters, cut_stretches


def listed(words: dict[str, int], characters: set[str]) -> dict[str, int]:
    made = cut_stretches(Counter(words), characters)
    texts = [
        made.text[start : start + length]
        for start, length in zip(made.starts.tolist(), made.lengths.tolist(), strict=True)
    ]
    return dict(zip(texts, made.counts.tolist(), strict=True))


def test_words_are_cut_between_scripts_and_counted_once():
    words = {"▁don't": 2, "▁t": 3, "▁δx漢かナ,1": 1, "▁": 4}
    expected = {"▁don": 2, "'": 2, "t": 2, "▁t": 3, "▁δ": 1, "x": 1, "漢かナ": 1, ",1": 1, "▁": 4}
    assert listed(words, set("".join(words))) == expected


def test_accents_stay_with_their_letter():
    assert listed({"▁e\u0301a": 1}, set("▁e\u0301a")) == {"▁e\u0301a": 1}


def test_what_is_not_covered_is_left_out():
    assert listed({"▁axbx": 2, "▁a": 1}, set("▁ab")) == {"▁a": 3, "b": 2}


@given(st.dictionaries(st.text("aбא1,é漢", min_size=1), st.integers(1, 5), min_size=1))
def test_no_character_is_lost_and_no_script_is_mixed(words):
    marked = {"▁" + word: count for word, count in words.items()}
    stretches = listed(marked, set("".join(marked)))
    before, after = Counter(), Counter()
    for counter, texts in ((before, marked), (after, stretches)):
        for text, count in texts.items():
            for character in text:
                counter[character] += count
    assert before == after
    for stretch in stretches:
        assert len({*script_codes(stretch.removeprefix("▁")).tolist()} - {0}) <= 1


def test_coverage_keeps_the_frequent_characters():
    words = Counter({"▁aab": 10, "▁c": 1})
    assert covered_characters(words, 1.0) == set("▁abc")
    assert covered_characters(words, 40 / 42) == set("▁ab")


def test_no_text_is_refused():
    with pytest.raises(ValueError, match="expected some text to learn from"):
        covered_characters(count_words(["", "  "]), 1.0)


def test_all_spaces_and_marks_part_words():
    assert count_words(["a\tb\u3000a", "▁a"], "nmt_nfkc") == {"▁a": 3, "▁b": 1}
