"""Plausible wrong answers to ex-08-8, ALiBi's bias."""


def a_reward(distance, slopes):
    """The sign is lost: far keys gain."""
    return slopes[None, :, None, None] * distance.abs()[:, None]


def not_symmetric(distance, slopes):
    """Without the bars, keys ahead of the query gain what keys behind it pay."""
    return slopes[None, :, None, None] * distance[:, None]


def one_slope_for_all(distance, slopes):
    """Every head pays the mean price."""
    return -slopes.mean() * distance.abs()[:, None].expand(-1, len(slopes), -1, -1)


def transposed(distance, slopes):
    """Queries and keys have changed places."""
    return -slopes[None, :, None, None] * distance.abs().transpose(1, 2)[:, None]


def first_sequence_only(distance, slopes):
    """All sequences get the distances of the first."""
    bias = -slopes[None, :, None, None] * distance[:1].abs()[:, None]
    return bias.expand(len(distance), -1, -1, -1)


def squared(distance, slopes):
    """The price grows with the square of the distance."""
    return -slopes[None, :, None, None] * distance[:, None] ** 2
