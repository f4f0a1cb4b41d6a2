"""Plausible wrong answers to ex-05-1, one step of AdamW."""


def not_in_place(
    weight,
    gradient,
    mean,
    square,
    step,
    learning_rate,
    betas=(0.9, 0.95),
    eps=1e-8,
    weight_decay=0.1,
):
    """New tensors are made and bound to the old names: the caller's stay as they were."""
    beta1, beta2 = betas
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient**2
    corrected = (square / (1 - beta2**step)).sqrt() + eps
    weight = (1 - learning_rate * weight_decay) * weight
    weight = weight - learning_rate * (mean / (1 - beta1**step)) / corrected


def decay_in_the_gradient(
    weight,
    gradient,
    mean,
    square,
    step,
    learning_rate,
    betas=(0.9, 0.95),
    eps=1e-8,
    weight_decay=0.1,
):
    """The decay is added to the gradient, as in Adam with an L2 penalty, and is divided with it."""
    beta1, beta2 = betas
    gradient = gradient + weight_decay * weight
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    square.mul_(beta2).add_(gradient**2, alpha=1 - beta2)
    corrected = (square / (1 - beta2**step)).sqrt() + eps
    weight.sub_(learning_rate * (mean / (1 - beta1**step)) / corrected)


def no_correction(
    weight,
    gradient,
    mean,
    square,
    step,
    learning_rate,
    betas=(0.9, 0.95),
    eps=1e-8,
    weight_decay=0.1,
):
    """The zeros that the running means began with are not undone."""
    beta1, beta2 = betas
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    square.mul_(beta2).add_(gradient**2, alpha=1 - beta2)
    weight.mul_(1 - learning_rate * weight_decay)
    weight.sub_(learning_rate * mean / (square.sqrt() + eps))


def corrected_means_kept(
    weight,
    gradient,
    mean,
    square,
    step,
    learning_rate,
    betas=(0.9, 0.95),
    eps=1e-8,
    weight_decay=0.1,
):
    """The corrected means are stored, and corrected again in the next step."""
    beta1, beta2 = betas
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1).div_(1 - beta1**step)
    square.mul_(beta2).add_(gradient**2, alpha=1 - beta2).div_(1 - beta2**step)
    weight.mul_(1 - learning_rate * weight_decay)
    weight.sub_(learning_rate * mean / (square.sqrt() + eps))


def decay_without_the_rate(
    weight,
    gradient,
    mean,
    square,
    step,
    learning_rate,
    betas=(0.9, 0.95),
    eps=1e-8,
    weight_decay=0.1,
):
    """The weight loses its share in each step, whatever the learning rate is."""
    beta1, beta2 = betas
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    square.mul_(beta2).add_(gradient**2, alpha=1 - beta2)
    corrected = (square / (1 - beta2**step)).sqrt() + eps
    weight.mul_(1 - weight_decay)
    weight.sub_(learning_rate * (mean / (1 - beta1**step)) / corrected)


def eps_under_the_root(
    weight,
    gradient,
    mean,
    square,
    step,
    learning_rate,
    betas=(0.9, 0.95),
    eps=1e-8,
    weight_decay=0.1,
):
    """The small number is added before the root is taken, where it is far larger."""
    beta1, beta2 = betas
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    square.mul_(beta2).add_(gradient**2, alpha=1 - beta2)
    corrected = (square / (1 - beta2**step) + eps).sqrt()
    weight.mul_(1 - learning_rate * weight_decay)
    weight.sub_(learning_rate * (mean / (1 - beta1**step)) / corrected)


def decay_after_the_step(
    weight,
    gradient,
    mean,
    square,
    step,
    learning_rate,
    betas=(0.9, 0.95),
    eps=1e-8,
    weight_decay=0.1,
):
    """The weight that has moved already is shrunk: the step shrinks too."""
    beta1, beta2 = betas
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    square.mul_(beta2).add_(gradient**2, alpha=1 - beta2)
    corrected = (square / (1 - beta2**step)).sqrt() + eps
    weight.sub_(learning_rate * (mean / (1 - beta1**step)) / corrected)
    weight.mul_(1 - learning_rate * weight_decay)
