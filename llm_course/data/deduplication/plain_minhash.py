"""MinHash as it stands in textbooks: whole numbers modulo a prime, one set at a time.

``minhash`` does the same for many texts at once, with hashes that suit 64-bit arithmetic.

Source:
    Broder 1997, *On the resemblance and containment of documents*; the functions are those of
    Carter and Wegman 1979, *Universal Classes of Hash Functions*, before their last modulo.
"""

from collections.abc import Collection, Sequence

PRIME = 2_147_483_647  # 2³¹ − 1


def minhash_signature(
    items: Collection[int], a: Sequence[int], b: Sequence[int], p: int = PRIME
) -> list[int]:
    """s_i = min over the items x of (a_i·x + b_i) mod p; p of an empty set.

    Raises:
        ValueError: a and b differ in length.

    >>> minhash_signature({1, 2, 5}, a=[1, 3], b=[0, 2], p=7)  # of (1, 2, 5) and (5, 1, 3)
    [1, 1]
    """
    if len(a) != len(b):
        raise ValueError(f"a, b: expected as many of each, got {len(a)} and {len(b)}.")
    return [
        min(((factor * x + shift) % p for x in items), default=p)
        for factor, shift in zip(a, b, strict=True)
    ]
