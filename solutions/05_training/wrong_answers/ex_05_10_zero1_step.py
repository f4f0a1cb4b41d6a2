"""Plausible wrong answers to ex-05-10, a step of ZeRO-1."""

import torch


def _step(weight, gradients, means, squares, step, rate, betas, eps, decay):
    """AdamW on slices, given each rank's slice of the gradient."""
    n, slices, new_means, new_squares = len(gradients), [], [], []
    for rank, own in enumerate(weight.tensor_split(n)):
        mean = betas[0] * means[rank] + (1 - betas[0]) * gradients[rank]
        square = betas[1] * squares[rank] + (1 - betas[1]) * gradients[rank] ** 2
        root = (square / (1 - betas[1] ** step)).sqrt() + eps
        change = mean / (1 - betas[0] ** step) / root
        slices.append((1 - rate * decay) * own - rate * change)
        new_means.append(mean)
        new_squares.append(square)
    return torch.cat(slices), new_means, new_squares


def _slices(gradients):
    n = len(gradients)
    return [[g.tensor_split(n)[rank] for g in gradients] for rank in range(n)]


def sum_of_the_gradients(
    weight, gradients, means, squares, step, learning_rate, betas, eps, weight_decay
):
    """A reduce-scatter sums, and the division by the number of ranks is forgotten."""
    mine = [sum(parts) for parts in _slices(gradients)]
    return _step(weight, mine, means, squares, step, learning_rate, betas, eps, weight_decay)


def own_gradient_alone(
    weight, gradients, means, squares, step, learning_rate, betas, eps, weight_decay
):
    """Each rank uses the slice of its own gradient; nothing is reduced."""
    mine = [parts[rank] for rank, parts in enumerate(_slices(gradients))]
    return _step(weight, mine, means, squares, step, learning_rate, betas, eps, weight_decay)


def whole_moments(weight, gradients, means, squares, step, learning_rate, betas, eps, weight_decay):
    """Every rank keeps the moments of all parameters: plain data parallelism."""
    mine = [sum(parts) / len(parts) for parts in _slices(gradients)]
    new, means, squares = _step(
        weight, mine, means, squares, step, learning_rate, betas, eps, weight_decay
    )
    return new, [torch.cat(means)] * len(means), [torch.cat(squares)] * len(squares)


def no_bias_correction(
    weight, gradients, means, squares, step, learning_rate, betas, eps, weight_decay
):
    """The moments are used as they are, though they begin at zero."""
    mine = [sum(parts) / len(parts) for parts in _slices(gradients)]
    late = 10**6
    return _step(weight, mine, means, squares, late, learning_rate, betas, eps, weight_decay)


def decay_in_the_gradient(
    weight, gradients, means, squares, step, learning_rate, betas, eps, weight_decay
):
    """Decay is added to the gradient, as in Adam with L2, and goes through the moments."""
    parts = zip(_slices(gradients), weight.tensor_split(len(gradients)), strict=True)
    mine = [sum(grads) / len(grads) + weight_decay * own for grads, own in parts]
    return _step(weight, mine, means, squares, step, learning_rate, betas, eps, 0.0)


def step_of_the_first_rank(
    weight, gradients, means, squares, step, learning_rate, betas, eps, weight_decay
):
    """Only rank 0's slice is sent round; the others stay what they were."""
    mine = [sum(parts) / len(parts) for parts in _slices(gradients)]
    new, means, squares = _step(
        weight, mine, means, squares, step, learning_rate, betas, eps, weight_decay
    )
    n = len(gradients)
    kept = [new.tensor_split(n)[0], *weight.tensor_split(n)[1:]]
    return torch.cat(kept), means, squares


def mean_of_the_squares(
    weight, gradients, means, squares, step, learning_rate, betas, eps, weight_decay
):
    """The second moment averages the ranks' squares, in place of the square of the mean."""
    n, slices = len(gradients), _slices(gradients)
    mine = [sum(parts) / n for parts in slices]
    new, new_means, _ = _step(
        weight, mine, means, squares, step, learning_rate, betas, eps, weight_decay
    )
    new_squares = [
        betas[1] * squares[rank] + (1 - betas[1]) * sum(g**2 for g in parts) / n
        for rank, parts in enumerate(slices)
    ]
    return new, new_means, new_squares


def epsilon_inside_the_root(
    weight, gradients, means, squares, step, learning_rate, betas, eps, weight_decay
):
    """Epsilon is added before the root is taken."""
    mine = [sum(parts) / len(parts) for parts in _slices(gradients)]
    _, means, squares = _step(
        weight, mine, means, squares, step, learning_rate, betas, eps, weight_decay
    )
    slices = []
    for own, mean, square in zip(weight.tensor_split(len(mine)), means, squares, strict=True):
        root = (square / (1 - betas[1] ** step) + eps).sqrt()
        change = mean / (1 - betas[0] ** step) / root
        slices.append((1 - learning_rate * weight_decay) * own - learning_rate * change)
    return torch.cat(slices), means, squares
