"""WordPiece as BERT has it: each word is cut into the longest known pieces, from the left.

Lossy: capitals, accents, control characters and the kind and number of spaces are gone, and a word
that no pieces make up becomes one unknown token. ``decode`` gives readable text, not the original.

Leaves out training (``wordpiece_training``) and the tokens that a model wants round a text.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from operator import index

from llm_course.tokenizers.base import check_special, split_special
from llm_course.tokenizers.bert_words import bert_words

BERT_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNKNOWN = "[UNK]"
CONTINUES = "##"
"""Begins every piece that is not the first of its word."""

_LONGEST_WORD = 100
_WORDS_REMEMBERED = 65_536


def longest_pieces(word: str, vocabulary: Collection[str], longest: int) -> list[str] | None:
    """Cut a word into pieces, each the longest that fits where the last one ended.

    Args:
        word: a word.
        vocabulary: the pieces; all but the first of a word begin with ``##``.
        longest: no piece has more characters than this.

    Returns:
        The pieces, or None if somewhere none fits. There is no going back; with ``ab`` and ``##c``
        but without ``##bc``, the word ``abcd`` is not tried as ``a`` first.

    Source:
        Devlin et al. 2019, arXiv:1810.04805, section 3, and the released code.

    >>> longest_pieces("unaffable", {"un", "##aff", "##a", "##able"}, longest=6)
    ['un', '##aff', '##able']
    >>> longest_pieces("abc", {"ab", "a", "##bc"}, longest=4) is None
    True
    """
    pieces: list[str] = []
    start = 0
    while start < len(word):
        prefix = CONTINUES if start else ""
        for end in range(min(len(word), start + longest), start, -1):
            piece = prefix + word[start:end]
            if piece in vocabulary:
                break
        else:
            return None
        pieces.append(piece)
        start = end
    return pieces


class WordPiece:
    """A WordPiece tokenizer with a given vocabulary.

    Args:
        vocabulary: id of each token.
        special_tokens: tokens that stand for themselves; ``[UNK]`` must be one.
        lowercase: take off capitals and accents first, as the uncased models do.

    Raises:
        ValueError: a special token is not in the vocabulary, ``[UNK]`` is none of them, or an id
            is there twice.

    >>> vocabulary = {"[UNK]": 0, "hug": 1, "##s": 2, "!": 3}
    >>> tokenizer = WordPiece(vocabulary, ["[UNK]"])
    >>> tokenizer.encode("Hugs! kiss"), tokenizer.decode([1, 2, 3, 0])
    ([1, 2, 3, 0], 'hugs! [UNK]')
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        special_tokens: Collection[str] = BERT_SPECIAL,
        lowercase: bool = True,
    ) -> None:
        self.vocabulary = dict(vocabulary)
        self.special_tokens = check_special(special_tokens, vocabulary)
        if UNKNOWN not in self.special_tokens:
            raise ValueError(
                f"special_tokens: expected {UNKNOWN} among them, got {list(special_tokens)}. "
                f"Fix: add {UNKNOWN}; words that no pieces make up become it"
            )
        self.lowercase = lowercase
        self._token_of = {token_id: token for token, token_id in vocabulary.items()}
        if len(self._token_of) != len(self.vocabulary):
            raise ValueError("vocabulary: expected one id for each token, got an id twice.")
        self._longest = max(map(len, self.vocabulary))
        self._word_ids = lru_cache(_WORDS_REMEMBERED)(self._pieces)

    def __len__(self) -> int:
        """Number of tokens, special ones included."""
        return len(self.vocabulary)

    def encode(self, text: str, allow_special: bool | Collection[str] = False) -> list[int]:
        """The token ids of a text.

        Args:
            text: any text.
            allow_special: which special tokens are recognised in it: none, all, or those named.

        Raises:
            ValueError: a name in ``allow_special`` is not a special token.
        """
        ids: list[int] = []
        for position, part in enumerate(split_special(text, self.special_tokens, allow_special)):
            if position % 2:  # The parts alternate: text, special token, text, ...
                ids.append(self.special_tokens[part])
            else:
                for word in bert_words(part, self.lowercase):
                    ids.extend(self._word_ids(word))
        return ids

    def encode_bytes(self, data: bytes) -> list[int]:
        """The ids of bytes; those that are not UTF-8 are dropped, as BERT drops ``�`` in a text."""
        return self.encode(data.decode(errors="replace"))

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """Readable text: the words with one space between, and none before ``. , ! ?``.

        Args:
            ids: token ids; a one-dimensional tensor will do.
            skip_special: whether special tokens are left out.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        tokens = [self._token(token_id) for token_id in ids]
        if skip_special:
            tokens = [token for token in tokens if token not in self.special_tokens]
        text = tokens[:1]
        for token in tokens[1:]:
            if token.startswith(CONTINUES):
                text.append(token.removeprefix(CONTINUES))
            else:
                text.append(token if token[0] in ".,!?" else f" {token}")
        return "".join(text)

    def tokens(self, text: str, allow_special: bool | Collection[str] = False) -> list[str]:
        """The tokens of a text as labels for a figure."""
        return [self._token_of[token_id] for token_id in self.encode(text, allow_special)]

    def _token(self, token_id: int) -> str:
        try:
            return self._token_of[index(token_id)]
        except KeyError:
            raise ValueError(
                f"id: expected one of the {len(self)} ids of the vocabulary, got {token_id}."
            ) from None

    def _pieces(self, word: str) -> tuple[int, ...]:
        pieces = None
        if len(word) <= _LONGEST_WORD:
            pieces = longest_pieces(word, self.vocabulary, self._longest)
        return tuple(self.vocabulary[piece] for piece in pieces or [UNKNOWN])
