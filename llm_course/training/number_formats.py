"""Floating-point formats: what a number is made of, and what the formats of training can hold.

A number is a sign, ``e`` bits of exponent and ``m`` bits of mantissa:
``(-1)^s * 2^(E - bias) * (1 + M / 2^m)`` with ``bias = 2^(e-1) - 1``; where the exponent's bits are
all zero it is subnormal, ``(-1)^s * 2^(1 - bias) * M / 2^m``. The exponent gives the range, the
mantissa the precision. Leaves out the formats that scale blocks of numbers (MXFP8, NVFP4).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from llm_course.shapes import check_shape


@dataclass(frozen=True, kw_only=True)
class NumberFormat:
    """One format.

    Args:
        name: what training calls it.
        dtype: what PyTorch calls it.
        exponent_bits: ``e``.
        mantissa_bits: ``m``.
        has_infinity: whether the largest exponent is kept for infinity and NaN, as IEEE 754 does.
            Without it only the number whose bits are all one is NaN, and the rest are numbers.

    >>> half = NUMBER_FORMATS["fp16"]
    >>> half.largest, half.smallest_normal, half.smallest_subnormal, half.epsilon
    (65504.0, 6.103515625e-05, 5.960464477539063e-08, 0.0009765625)
    """

    name: str
    dtype: torch.dtype
    exponent_bits: int
    mantissa_bits: int
    has_infinity: bool = True

    @property
    def n_bits(self) -> int:
        """Bits of the whole number: a sign, the exponent and the mantissa."""
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def bias(self) -> int:
        """What is taken from the exponent's bits: ``2^(e-1) - 1``."""
        return 2 ** (self.exponent_bits - 1) - 1

    @property
    def epsilon(self) -> float:
        """The distance from 1 to the next number: ``2^-m``."""
        return 2.0**-self.mantissa_bits

    @property
    def largest(self) -> float:
        """The largest finite number.

        ``2^bias * (2 - 2^-m)``; without infinity the exponent is one more, and the mantissa one
        less than full, ``2^(bias+1) * (2 - 2 * 2^-m)``.
        """
        if self.has_infinity:
            return 2.0**self.bias * (2 - self.epsilon)
        return 2.0 ** (self.bias + 1) * (2 - 2 * self.epsilon)

    @property
    def smallest_normal(self) -> float:
        """The smallest positive number of full precision: ``2^(1 - bias)``."""
        return 2.0 ** (1 - self.bias)

    @property
    def smallest_subnormal(self) -> float:
        """The smallest positive number: ``2^(1 - bias - m)``; what is below its half becomes 0."""
        return 2.0 ** (1 - self.bias - self.mantissa_bits)


NUMBER_FORMATS: dict[str, NumberFormat] = {
    made.name: made
    for made in (
        NumberFormat(name="fp32", dtype=torch.float32, exponent_bits=8, mantissa_bits=23),
        NumberFormat(name="fp16", dtype=torch.float16, exponent_bits=5, mantissa_bits=10),
        NumberFormat(name="bf16", dtype=torch.bfloat16, exponent_bits=8, mantissa_bits=7),
        NumberFormat(
            name="fp8_e4m3",
            dtype=torch.float8_e4m3fn,
            exponent_bits=4,
            mantissa_bits=3,
            has_infinity=False,
        ),
        NumberFormat(name="fp8_e5m2", dtype=torch.float8_e5m2, exponent_bits=5, mantissa_bits=2),
    )
}
"""The formats of training, by name.

Source:
    Micikevicius et al. 2022, arXiv:2209.05433, table 1 (both kinds of fp8); Kalamkar et al. 2019,
    arXiv:1905.12322 (bf16).
"""

_INTEGERS = {8: torch.uint8, 16: torch.int16, 32: torch.int32}


def number_format(name: str) -> NumberFormat:
    """A format by its name.

    Raises:
        ValueError: there is none of this name.

    >>> number_format("bf16").exponent_bits
    8
    """
    if name not in NUMBER_FORMATS:
        raise ValueError(f"name: expected one of {tuple(NUMBER_FORMATS)}, got {name!r}.")
    return NUMBER_FORMATS[name]


def bit_fields(number: float | Tensor, name: str) -> tuple[str, str, str]:
    """The bits of a number in a format, rounded to it first: sign, exponent, mantissa.

    Args:
        number: a number, or a tensor that holds one.
        name: of the format.

    Raises:
        ValueError: the format is unknown.
        ShapeError: the tensor has axes.

    >>> bit_fields(1.5, "fp16")  # 2^(15 - 15) * (1 + 512/1024)
    ('0', '01111', '1000000000')
    """
    made, value = number_format(name), torch.as_tensor(number)
    if value.dim():
        check_shape(value.flatten(), "one", "number", one=1)
    integer = int(value.reshape(1).to(made.dtype).view(_INTEGERS[made.n_bits]).item())
    bits = format(integer % 2**made.n_bits, f"0{made.n_bits}b")
    cut = 1 + made.exponent_bits
    return bits[0], bits[1:cut], bits[cut:]


def from_bit_fields(sign: str, exponent: str, mantissa: str, name: str) -> float:
    """The number that bits stand for, by the formula: the inverse of ``bit_fields``.

    Raises:
        ValueError: the format is unknown, or there are more or fewer bits than it has.

    >>> from_bit_fields("1", "00000", "0000000001", "fp16")  # -2^(1 - 15) / 1024
    -5.960464477539063e-08
    """
    made = number_format(name)
    found, wanted = (len(exponent), len(mantissa)), (made.exponent_bits, made.mantissa_bits)
    if len(sign) != 1 or found != wanted:
        raise ValueError(f"bits: expected 1 and {wanted} bits, got {len(sign)} and {found}.")
    factor, power, part = -1.0 if sign == "1" else 1.0, int(exponent, 2), int(mantissa, 2)
    ones = set(exponent) == {"1"}
    if ones and made.has_infinity:
        return factor * float("inf") if part == 0 else float("nan")
    if ones and set(mantissa) == {"1"}:
        return float("nan")
    if power == 0:  # subnormal
        return factor * 2.0 ** (1 - made.bias) * part * made.epsilon
    return factor * 2.0 ** (power - made.bias) * (1 + part * made.epsilon)
