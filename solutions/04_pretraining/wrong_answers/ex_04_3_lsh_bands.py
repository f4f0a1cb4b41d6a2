"""Plausible wrong answers to ex-04-3, bands for a wanted recall."""


def _cuts(n_hashes):
    return [(n_hashes // rows, rows) for rows in range(1, n_hashes + 1) if n_hashes % rows == 0]


def _last(fitting):
    return fitting[-1] if fitting else None


def most_bands(n_hashes, jaccard, recall):
    """The first cut that is good enough has the most bands, and the most false candidates."""
    fitting = [(b, r) for b, r in _cuts(n_hashes) if 1 - (1 - jaccard**r) ** b >= recall]
    return fitting[0] if fitting else None


def rows_first(n_hashes, jaccard, recall):
    """The pair is returned the other way round."""
    fitting = [(r, b) for b, r in _cuts(n_hashes) if 1 - (1 - jaccard**r) ** b >= recall]
    return _last(fitting)


def exponents_swapped(n_hashes, jaccard, recall):
    """A band agrees with J^b in place of J^r."""
    fitting = [(b, r) for b, r in _cuts(n_hashes) if 1 - (1 - jaccard**b) ** r >= recall]
    return _last(fitting)


def every_band_must_agree(n_hashes, jaccard, recall):
    """Candidates are taken to need all bands: J^k, whatever the cut."""
    fitting = [(b, r) for b, r in _cuts(n_hashes) if jaccard ** (b * r) >= recall]
    return _last(fitting)


def one_band(n_hashes, jaccard, recall):
    """The probability of one band, as if there were no others."""
    return _last([(b, r) for b, r in _cuts(n_hashes) if jaccard**r >= recall])


def with_remainder(n_hashes, jaccard, recall):
    """Cuts that leave hashes over are accepted."""
    cuts = [(n_hashes // rows, rows) for rows in range(1, n_hashes + 1)]
    return _last([(b, r) for b, r in cuts if 1 - (1 - jaccard**r) ** b >= recall])


def strictly_more(n_hashes, jaccard, recall):
    """A recall that is just reached does not count."""
    return _last([(b, r) for b, r in _cuts(n_hashes) if 1 - (1 - jaccard**r) ** b > recall])


def steepest_near_jaccard(n_hashes, jaccard, recall):
    """The cut whose threshold (1/b)^(1/r) is nearest to J: half of such pairs are missed."""
    return min(_cuts(n_hashes), key=lambda cut: abs((1 / cut[0]) ** (1 / cut[1]) - jaccard))


def never_none(n_hashes, jaccard, recall):
    """Where nothing will do, single rows are returned."""
    fitting = [(b, r) for b, r in _cuts(n_hashes) if 1 - (1 - jaccard**r) ** b >= recall]
    return fitting[-1] if fitting else (n_hashes, 1)


def without_one_band(n_hashes, jaccard, recall):
    """The cut into a single band is forgotten."""
    cuts = [(b, r) for b, r in _cuts(n_hashes) if r < n_hashes]
    return _last([(b, r) for b, r in cuts if 1 - (1 - jaccard**r) ** b >= recall])
