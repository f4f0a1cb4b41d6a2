"""Plausible wrong answers to ex-05-4, a backward pass from checkpoints."""

import torch


def _forward(x, weights):
    inputs = [x]
    for weight in weights:
        inputs.append(torch.tanh(inputs[-1] @ weight))
    return inputs


def _segments(kept, weights):
    size = len(weights) // len(kept)
    return [(kept[k], list(weights[k * size : (k + 1) * size])) for k in range(len(kept))]


def _back(inputs, weights, slope):
    gradients = []
    for i in reversed(range(len(weights))):
        inner = (1 - inputs[i + 1] ** 2) * slope
        gradients.insert(0, inputs[i].T @ inner)
        slope = inner @ weights[i].T
    return gradients, slope


def same_slope_for_every_segment(kept, weights, slope):
    """Each segment is given the slope of the last output, as if it were the last."""
    gradients = []
    for x, segment in _segments(kept, weights):
        gradients += _back(_forward(x, segment), segment, slope)[0]
    return gradients


def from_the_first_segment(kept, weights, slope):
    """The segments are walked from the first to the last, and hand the slope on forwards."""
    gradients = []
    for x, segment in _segments(kept, weights):
        found, slope = _back(_forward(x, segment), segment, slope)
        gradients += found
    return gradients


def not_computed_again(kept, weights, slope):
    """A kept input stands for the input of every layer of its segment."""
    gradients = []
    for x, segment in reversed(_segments(kept, weights)):
        inputs = [x] * len(segment) + [torch.tanh(x @ segment[-1])]
        found, slope = _back(inputs, segment, slope)
        gradients = found + gradients
    return gradients


def last_gradient_first(kept, weights, slope):
    """The gradients come in the order in which they are found."""
    gradients = []
    for x, segment in reversed(_segments(kept, weights)):
        found, slope = _back(_forward(x, segment), segment, slope)
        gradients += found[::-1]
    return gradients


def slope_of_tanh_at_the_input(kept, weights, slope):
    """The derivative of tanh is taken from the layer's input, not from its output."""
    gradients = []
    for x, segment in reversed(_segments(kept, weights)):
        inputs = _forward(x, segment)
        for i in reversed(range(len(segment))):
            inner = (1 - inputs[i] ** 2) * slope
            gradients.insert(0, inputs[i].T @ inner)
            slope = inner @ segment[i].T
    return gradients


def weight_not_transposed(kept, weights, slope):
    """The slope goes back through W instead of its transpose."""
    gradients = []
    for x, segment in reversed(_segments(kept, weights)):
        inputs = _forward(x, segment)
        for i in reversed(range(len(segment))):
            inner = (1 - inputs[i + 1] ** 2) * slope
            gradients.insert(0, inputs[i].T @ inner)
            slope = inner @ segment[i]
    return gradients


def nonlinearity_forgotten(kept, weights, slope):
    """The slope passes tanh as if it were not there."""
    gradients = []
    for x, segment in reversed(_segments(kept, weights)):
        inputs = _forward(x, segment)
        for i in reversed(range(len(segment))):
            gradients.insert(0, inputs[i].T @ slope)
            slope = slope @ segment[i].T
    return gradients


def everything_from_the_beginning(kept, weights, slope):
    """All layers are computed again from the first input, and kept at once: no memory is saved."""
    return _back(_forward(kept[0], weights), weights, slope)[0]
