"""Plausible wrong answers to ex-09-6, the scorer of the passkey task."""

import re


def anywhere(reply, answer):
    """The answer's digits count wherever they stand, also inside a longer number."""
    return answer in reply


def at_the_beginning(reply, answer):
    """The reply must begin with the answer: a space or a word before it is an error."""
    return reply.startswith(answer)


def stripped_and_equal(reply, answer):
    """The reply must be the answer and nothing else."""
    return reply.strip() == answer


def any_number(reply, answer):
    """Any number of the reply may be the answer, so whoever lists them all is right."""
    return answer in re.findall(r"\d+", reply)


def last_number(reply, answer):
    """The last number counts, as if it were the conclusion."""
    found = re.findall(r"\d+", reply)
    return bool(found) and found[-1] == answer


def all_digits_together(reply, answer):
    """All digits of the reply are read as one number."""
    return "".join(re.findall(r"\d", reply)) == answer


def as_integers(reply, answer):
    """Numbers are compared as integers: zeros before them do not count."""
    first = re.search(r"\d+", reply)
    return first is not None and int(first.group()) == int(answer)


def no_number_no_guard(reply, answer):
    """A reply without any number is not thought of."""
    return re.findall(r"\d+", reply)[0] == answer


def first_digits_only(reply, answer):
    """The first digits are compared, as many as the answer has; a longer number passes."""
    first = re.search(r"\d+", reply)
    return first is not None and first.group().startswith(answer)
