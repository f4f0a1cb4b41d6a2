"""Plausible wrong answers to ex-05-11, an order without memory."""

import torch


def _order(n_rows, seed):
    return torch.randperm(n_rows, generator=torch.Generator().manual_seed(seed)).tolist()


def drawn_with_replacement(n_rows, batch_size, seed, batch):
    """Each batch is drawn at random from all rows: some come twice, others never."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + batch)
    return torch.randint(n_rows, (batch_size,), generator=generator).tolist()


def same_order_every_epoch(n_rows, batch_size, seed, batch):
    """The order follows from the seed alone, so that every epoch is the same."""
    order = _order(n_rows, seed)
    first = batch * batch_size
    return [order[(first + i) % n_rows] for i in range(batch_size)]


def epoch_of_the_first_row(n_rows, batch_size, seed, batch):
    """A batch that crosses the end of an epoch goes on in the order of the old one."""
    first = batch * batch_size
    order = _order(n_rows, seed * 1_000_003 + first // n_rows)
    return [order[(first + i) % n_rows] for i in range(batch_size)]


def seed_plus_epoch(n_rows, batch_size, seed, batch):
    """Seed and epoch are added: seed 1 begins with the second epoch of seed 0."""
    places = range(batch * batch_size, (batch + 1) * batch_size)
    return [_order(n_rows, seed + place // n_rows)[place % n_rows] for place in places]


def global_generator(n_rows, batch_size, seed, batch):
    """The global generator is used: what comes depends on what was drawn before."""
    if batch == 0:
        torch.manual_seed(seed)
    return torch.randperm(n_rows).tolist()[:batch_size]


def not_shuffled(n_rows, batch_size, seed, batch):
    """The rows come as they lie."""
    return [place % n_rows for place in range(batch * batch_size, (batch + 1) * batch_size)]


def short_last_batch(n_rows, batch_size, seed, batch):
    """An epoch ends with a smaller batch, so that batches are not where they should be."""
    per_epoch = -(-n_rows // batch_size)
    epoch, place = divmod(batch, per_epoch)
    order = _order(n_rows, seed * 1_000_003 + epoch)
    return order[place * batch_size : (place + 1) * batch_size]
