"""Plausible wrong answers to ex-04-2, the MinHash signature."""

PRIME = 2_147_483_647


def no_modulo(items, a, b, p=PRIME):
    """Without the modulo every function keeps the order: the smallest item always wins."""
    return [min((a[i] * x + b[i] for x in items), default=p) for i in range(len(a))]


def modulo_before_the_sum(items, a, b, p=PRIME):
    """b is added after the modulo, so a hash can reach p and more."""
    return [min(((a[i] * x) % p + b[i] for x in items), default=p) for i in range(len(a))]


def maximum(items, a, b, p=PRIME):
    """The largest hash: as good a signature, but not the one that was asked for."""
    return [max(((a[i] * x + b[i]) % p for x in items), default=p) for i in range(len(a))]


def the_item_itself(items, a, b, p=PRIME):
    """The item that comes first is returned, not its hash."""
    return [min(items, key=lambda x: (a[i] * x + b[i]) % p, default=p) for i in range(len(a))]


def one_function_for_all(items, a, b, p=PRIME):
    """Every place uses the first function: a hundred equal coin tosses."""
    return [min(((a[0] * x + b[0]) % p for x in items), default=p) for _ in a]


def one_shift_for_all(items, a, b, p=PRIME):
    """Every place uses the first shift."""
    return [min(((one * x + b[0]) % p for x in items), default=p) for one in a]


def minimum_over_functions(items, a, b, p=PRIME):
    """One number for each item, the minimum over the functions: rows and columns confused."""
    return [min((a[i] * x + b[i]) % p for i in range(len(a))) for x in sorted(items)]


def hash_of_the_minimum(items, a, b, p=PRIME):
    """The smallest item is hashed, in place of the smallest hash."""
    return [(a[i] * min(items) + b[i]) % p if items else p for i in range(len(a))]


def fixed_prime(items, a, b, p=PRIME):
    """The prime that is passed in is ignored."""
    return [min(((a[i] * x + b[i]) % PRIME for x in items), default=p) for i in range(len(a))]


def fails_on_nothing(items, a, b, p=PRIME):
    """The minimum over an empty set is an error."""
    return [min((a[i] * x + b[i]) % p for x in items) for i in range(len(a))]


def zero_for_nothing(items, a, b, p=PRIME):
    """The minimum over an empty set is 0, which is a hash like any other."""
    return [min(((a[i] * x + b[i]) % p for x in items), default=0) for i in range(len(a))]
