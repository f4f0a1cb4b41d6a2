"""The script of a character (Latin, Greek, Han, ...): pieces do not mix two.

Leaves out Unicode's script extensions.
"""

import numpy as np
import regex

_SCRIPTS = regex.findall(
    r"\w+",
    """
Common Latin Greek Cyrillic Armenian Hebrew Arabic Syriac Thaana Devanagari Bengali Gurmukhi
Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Hangul
Ethiopic Cherokee Canadian_Aboriginal Ogham Runic Khmer Mongolian Bopomofo Yi Old_Italic Gothic
Deseret Tagalog Hanunoo Buhid Tagbanwa Limbu Tai_Le Linear_B Ugaritic Shavian Osmanya Cypriot
Braille Buginese Coptic New_Tai_Lue Glagolitic Tifinagh Syloti_Nagri Old_Persian Kharoshthi
Balinese Cuneiform Phoenician Phags_Pa Nko Sundanese Lepcha Ol_Chiki Vai Saurashtra Kayah_Li
Rejang Lycian Carian Lydian Cham Tai_Tham Tai_Viet Avestan Egyptian_Hieroglyphs Samaritan Lisu
Bamum Javanese Meetei_Mayek Imperial_Aramaic Old_South_Arabian Inscriptional_Parthian
Inscriptional_Pahlavi Old_Turkic Kaithi Batak Brahmi Mandaic Chakma Meroitic_Cursive
Meroitic_Hieroglyphs Miao Sharada Sora_Sompeng Takri Adlam Vithkuqi
""",
)
ANY, HAN, OTHER = 0, 1, 2
"""``ANY`` goes with its neighbours: the mark ``▁`` and characters that inherit (accents)."""

# Later ones win: Unicode files ▁ and the Japanese ー under Common.
_PATTERNS = {
    **{3 + i: regex.compile(rf"\p{{Script={script}}}") for i, script in enumerate(_SCRIPTS)},
    HAN: regex.compile(r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]"),
    ANY: regex.compile(r"[\p{Script=Inherited}▁]"),
}


def script_codes(characters: str) -> np.ndarray:
    """A number for the script of each character; equal numbers mean one script.

    Kana count as Han, because Japanese words mix them; digits and punctuation are one script,
    Unicode's *Common*; scripts too rare for the list above share one number.

    Shapes: ``(len(characters),)`` int64.

    Source:
        the rule of SentencePiece's trainer (``split_by_unicode_script``), on Unicode's property.

    >>> (script_codes("aБ漢か") == script_codes("zЖ字ナ")).tolist()
    [True, True, True, True]
    >>> len(set(script_codes("aБ漢1").tolist())), script_codes("▁").tolist()
    (4, [0])
    """
    found = dict.fromkeys(characters, OTHER)
    distinct = "".join(found)
    for code, pattern in _PATTERNS.items():
        found.update(dict.fromkeys(pattern.findall(distinct), code))
    return np.array([found[c] for c in characters], dtype=np.int64)
