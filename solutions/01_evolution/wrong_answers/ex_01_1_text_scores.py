"""Plausible wrong answers to ex-01-1, perplexity and bits per byte."""

import math


def _check(log_probabilities):
    if not log_probabilities:
        raise ValueError("log_probabilities: expected at least one, got none.")


def nats_per_byte(log_probabilities, n_bytes):
    """The division by ln 2 is forgotten."""
    _check(log_probabilities)
    total = -sum(log_probabilities)
    return math.exp(total / len(log_probabilities)), total / n_bytes


def bits_per_token(log_probabilities, n_bytes):
    """Bits are divided by the number of tokens."""
    _check(log_probabilities)
    total = -sum(log_probabilities)
    n = len(log_probabilities)
    return math.exp(total / n), total / math.log(2) / n


def perplexity_to_base_two(log_probabilities, n_bytes):
    """Two to the power of nats."""
    _check(log_probabilities)
    total = -sum(log_probabilities)
    return 2 ** (total / len(log_probabilities)), total / math.log(2) / n_bytes


def perplexity_of_the_sum(log_probabilities, n_bytes):
    """The exponential of the whole surprise, not of the mean."""
    _check(log_probabilities)
    total = -sum(log_probabilities)
    return math.exp(total), total / math.log(2) / n_bytes


def sign_forgotten(log_probabilities, n_bytes):
    """The logarithms are negative, and stay so."""
    _check(log_probabilities)
    total = sum(log_probabilities)
    return math.exp(total / len(log_probabilities)), total / math.log(2) / n_bytes


def empty_is_perfect(log_probabilities, n_bytes):
    """An empty text gets the best scores."""
    if not log_probabilities:
        return 1.0, 0.0
    total = -sum(log_probabilities)
    return math.exp(total / len(log_probabilities)), total / math.log(2) / n_bytes
