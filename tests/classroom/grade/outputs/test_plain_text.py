import unicodedata

import pytest

from llm_course.classroom.grade.outputs.plain_text import number, one_line, plain


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Btext\x1bc", "text"),
        ("\x9b31mred", "red"),
        ("10 %\r20 %\r\nend", "10 %\n20 %\nend"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("nul\x00 bell\x07 back\x08", "nul\ufffd bell\ufffd back\ufffd"),
        ("abc\u202efed\u202c", "abc\ufffdfed\ufffd"),
        ("\u2066isolated\u2069", "\ufffdisolated\ufffd"),
        ("zero\u200bwidth\ufeff", "zero\ufffdwidth\ufffd"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("tag\U000e0041", "tag\ufffd"),
        ("keep\ttabs\nlines", "keep\ttabs\nlines"),
        ("né 王 🎉 שלום مرحبا क्षि", "né 王 🎉 שלום مرحبا क्षि"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_text_is_made_inert_and_otherwise_kept(raw, shown):
    assert plain(raw, 200) == shown


def test_nothing_that_acts_on_its_surroundings_is_left():
    codes = [*range(0x30000), *range(0xE0000, 0xE1000)]
    every = "".join(chr(code) for code in codes if code not in (0x1B, 0x9B, 0x9D))
    left = {c for c in plain(every, len(every)) if unicodedata.category(c) in ("Cc", "Cf", "Cs")}
    # Joiners make Persian words and composed emoji; the others are visible signs of numbers.
    visible = {chr(code) for code in [*range(0x600, 0x606), 0x6DD, 0x890, 0x891, 0x8E2]}
    assert left - visible == {"\t", "\n", "\u200c", "\u200d"}


def test_a_tower_of_accents_is_cut_down():
    assert plain("Z" + "\u0301" * 500 + "!", 2000) == "Z" + "\u0301" * 3 + "!"


@pytest.mark.parametrize("text", ["x" * 10_000_000, "\x1b[" * 5_000_000, "\x1b[31m" * 2_000_000])
def test_ten_million_characters_become_few(text):
    assert len(plain(text, 100)) < 160
    assert len(one_line(text, 100)) <= 100


def test_what_was_cut_is_counted():
    assert plain("abcdef", 6) == "abcdef"
    assert plain("abcdefg", 6) == "abcdef\n[… 1 more characters]"
    assert plain("x" * 5_000_000, 10).endswith("\n[… 4,999,990 more characters]")


def test_one_line_has_no_line_break():
    assert one_line(" a\n\nb\tc \r\n d ", 80) == "a b c d"
    assert one_line("word " * 30, 11) == "word word…"


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (10, "10"), (100.0, "100"), (2.5, "2.5"), (2 / 3, "0.67")]
)
def test_numbers_have_no_needless_zeros(value, text):
    assert number(value) == text


def test_a_loss_keeps_its_sign_and_nothing_has_none():
    assert (number(-1.5), number(-0.0), number(1e-9)) == ("-1.5", "0", "0")
