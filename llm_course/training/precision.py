"""Mixed precision: products in 16 bits, weights and their updates in 32.

The weights are kept in fp32 (the *master weights*) and rounded to 16 bits for each product, under
PyTorch's autocast; the residual stream, the norms and the loss stay in fp32. With 16-bit weights a
small step would be lost: in bf16 the number after 1 is 1.0078. bf16 has the range of fp32 and
needs nothing more; fp16 has not, and needs a scaled loss.
"""

from contextlib import AbstractContextManager, nullcontext

import torch

from llm_course.training.config import PrecisionName
from llm_course.training.loss_scaling import LossScaler

PRODUCT_DTYPES: dict[str, torch.dtype | None] = {
    "fp32": None,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
"""What matrix products are computed in; None leaves them in the dtype of the weights."""


def mixed_precision(precision: PrecisionName, device: str = "cpu") -> AbstractContextManager:
    """Within it, products are computed in a precision; outside, in that of their factors.

    Args:
        precision: of the products.
        device: the type of device on which they are computed.

    Raises:
        ValueError: the precision is unknown.

    Source:
        Micikevicius et al. 2018, arXiv:1710.03740, sections 3.1 and 3.3.

    >>> x = torch.ones(1, 1)
    >>> with mixed_precision("bf16"):
    ...     (x @ x).dtype, x.dtype
    (torch.bfloat16, torch.float32)
    """
    dtype = _product_dtype(precision)
    if dtype is None:
        return nullcontext()
    return torch.autocast(device, dtype)


def scaler_for(precision: PrecisionName) -> LossScaler | None:
    """What scales the loss in a precision: fp16 alone needs it.

    Raises:
        ValueError: the precision is unknown.

    >>> scaler_for("fp16").scale, scaler_for("bf16")
    (65536.0, None)
    """
    return LossScaler() if _product_dtype(precision) == torch.float16 else None


def _product_dtype(precision: str) -> torch.dtype | None:
    if precision not in PRODUCT_DTYPES:
        raise ValueError(f"precision: expected one of {tuple(PRODUCT_DTYPES)}, got {precision!r}.")
    return PRODUCT_DTYPES[precision]
