"""The words of the tiny world, and the two rules of English that its sentences need.

The order of ``NAMES`` and ``OBJECTS`` decides which combinations are held out (see ``splits``):
append to them, never reorder.
"""


def _words(text: str) -> tuple[str, ...]:
    """The words of a string: lists of words are read more easily without quotes and commas."""
    return tuple(text.split())


# Feminine and masculine names alternate, so that every class of the split has both.
NAMES = _words(
    "Anna Adam Bella Ben Clara Carl Daisy David Emma Eric Fiona Felix Greta George Hanna Hugo "
    "Ivy Ivan Julia Jack Kate Karl Lily Leo Mia Max Nora Noah Olga Oscar Paula Paul Sara Sam "
    "Tina Tom Vera Victor Zoe Walter"
)
FEMININE = frozenset(NAMES[::2])

THINGS = _words(
    "ball book cup hat key lamp map pen ring rope shoe spoon stone umbrella vase whistle basket "
    "bell blanket bottle box brush bucket button candle coat coin comb drum flag flute glove "
    "hammer kite ladder knife mirror mug needle pillow puzzle scarf shell envelope axe"
)
FOODS = _words(
    "apple banana carrot cookie egg lemon melon onion peach pear pie potato sandwich tomato berry"
)
OBJECTS = THINGS + FOODS

COLOURS = _words("red blue green yellow black white brown purple pink grey golden silver")
FOOD_ADJECTIVES = _words("big small fresh tasty huge little")

# Each place with the preposition that says "being there".
PLACES = {
    "kitchen": "in", "garden": "in", "market": "at", "library": "in", "beach": "at",
    "forest": "in", "school": "at", "barn": "in", "hill": "on", "park": "in", "station": "at",
    "river": "by", "lake": "by", "attic": "in", "cellar": "in", "farm": "at", "bakery": "in",
    "tower": "in", "bridge": "on", "harbour": "at", "castle": "in", "meadow": "in", "mill": "at",
    "cave": "in", "museum": "at",
}  # fmt: skip

FEELINGS = _words("happy tired proud calm hungry sleepy cheerful brave curious lonely sad excited")
WEATHER = _words("sunny rainy windy cloudy cold warm foggy snowy bright stormy")
TIMES = _words("morning afternoon evening day")
DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
NUMBER_WORDS = _words("none one two three four five six seven eight nine ten")

IRREGULAR_PLURALS = {"knife": "knives", "scarf": "scarves"}


def with_article(noun_phrase: str) -> str:
    """Put "a" or "an" before a noun phrase of this world, by its first letter.

    >>> with_article("apple"), with_article("red apple")
    ('an apple', 'a red apple')
    """
    return f"{'an' if noun_phrase[0] in 'aeiou' else 'a'} {noun_phrase}"


def plural(noun: str) -> str:
    """The plural of a noun of this world.

    >>> [plural(noun) for noun in ("cup", "brush", "berry", "key", "knife", "potato")]
    ['cups', 'brushes', 'berries', 'keys', 'knives', 'potatoes']
    """
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    if noun.endswith(("s", "x", "ch", "sh", "to")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def count_of(n: int, noun: str) -> str:
    """A number with its noun in the right form.

    >>> count_of(1, "apple"), count_of(3, "apple")
    ('1 apple', '3 apples')
    """
    return f"{n} {noun if n == 1 else plural(noun)}"


def listing(words: list[str]) -> str:
    """Words joined as English joins them.

    >>> listing(["Anna"]), listing(["Anna", "Ben", "Leo"])
    ('Anna', 'Anna, Ben and Leo')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def at(place: str) -> str:
    """A place with its preposition.

    >>> at("hill")
    'on the hill'
    """
    return f"{PLACES[place]} the {place}"


def subject_pronoun(name: str) -> str:
    """The word "she" or "he" for a name of this world.

    >>> subject_pronoun("Anna"), subject_pronoun("Ben")
    ('she', 'he')
    """
    return "she" if name in FEMININE else "he"
