"""Bad text with ground truth: what the filters that learn are measured on.

Two kinds. Shuffled text has the words of good text in no order, so that word counts cannot tell it
apart. Boilerplate is what surrounds the text of a page: menus, notices, lists of links.
"""

from llm_course.data.tiny_world.chance import between, generator, pick, pick_distinct
from llm_course.data.tiny_world.splits import Split, check_split

_TOPICS = ("news", "sports", "music", "travel", "health", "science", "games", "fashion", "jobs")
# Each split has templates of its own: a filter is measured on boilerplate it has not seen.
_MENUS = {
    "train": ("Home | About us | Contact | {0} | {1}", "Tags: {0}, {1}, top 10 {0}"),
    "held_out": (
        "Skip to content Menu Search {0} {1} Log in Register",
        "You are here: Home > {0} > {1}",
    ),
}
_NOTICES = {
    "train": (
        "We use cookies to improve your experience on our {0} pages. Accept all Reject all",
        "Sign up for our {0} newsletter and never miss a deal!",
        "Share this: Facebook Twitter Pinterest Email Print",
        "Posted in {0} by admin | {2} comments | Leave a reply",
    ),
    "held_out": (
        "Copyright {2}. All rights reserved. Terms of use. Privacy policy.",
        "Please enable JavaScript to view the {0} comments.",
        "Buy cheap {0} online, best price {2}, free shipping, click here now!!!",
        "Related posts: 10 {0} tips you need. Why {1} matters. Read more...",
    ),
}


def shuffled(text: str, seed: object) -> str:
    """The words of the text in random order.

    >>> sorted(shuffled("to be or not", seed=0).split())
    ['be', 'not', 'or', 'to']
    """
    words = text.split()
    return " ".join(pick_distinct(generator("shuffled", seed), words, len(words)))


def boilerplate(seed: object, n_lines: int = 6, split: Split = "train") -> str:
    """What stands around the text of a page.

    Raises:
        ValueError: the split is neither train nor held_out.

    >>> len(boilerplate(seed=0).splitlines())
    6
    """
    check_split(split)
    rng = generator("boilerplate", split, seed)
    lines = []
    for number in range(n_lines):
        template = pick(rng, (_MENUS if number == 0 else _NOTICES)[split])
        one, two = pick_distinct(rng, _TOPICS, 2)
        lines.append(template.format(one, two, between(rng, 1, 2030)))
    return "\n".join(lines)
