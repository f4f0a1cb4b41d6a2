"""The formats against ``torch.finfo``, and every bit pattern against PyTorch's reading of it."""

import math

import pytest
import torch

from llm_course.shapes import ShapeError
from llm_course.training.number_formats import (
    NUMBER_FORMATS,
    bit_fields,
    from_bit_fields,
    number_format,
)


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_equals_finfo(name):
    ours, theirs = number_format(name), torch.finfo(NUMBER_FORMATS[name].dtype)
    assert ours.n_bits == theirs.bits
    assert ours.largest == theirs.max
    assert ours.smallest_normal == theirs.smallest_normal
    assert ours.epsilon == theirs.eps
    assert ours.smallest_subnormal == theirs.smallest_normal * theirs.eps


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_the_smallest_number_is_the_last_before_zero(name):
    ours = number_format(name)
    least = torch.tensor(ours.smallest_subnormal, dtype=torch.float64)
    assert least.to(ours.dtype).double() == least
    assert (0.49 * least).to(ours.dtype).double() == 0.0
    assert bit_fields(least, name)[2] == "0" * (ours.mantissa_bits - 1) + "1"


@pytest.mark.parametrize("name", ["fp16", "bf16", "fp8_e4m3", "fp8_e5m2"])
def test_every_bit_pattern_is_the_number_that_torch_reads(name):
    made = number_format(name)
    integers = torch.arange(2**made.n_bits)
    kind = torch.uint8 if made.n_bits == 8 else torch.int16
    numbers = integers.to(kind).view(made.dtype).double().tolist()
    step = 1 if made.n_bits == 8 else 7  # 7 is odd: it goes through all low bits
    for integer in range(0, 2**made.n_bits, step):
        bits = format(integer, f"0{made.n_bits}b")
        cut = 1 + made.exponent_bits
        ours = from_bit_fields(bits[0], bits[1:cut], bits[cut:], name)
        expected = numbers[integer]
        assert ours == expected or (math.isnan(ours) and math.isnan(expected)), bits
        if not math.isnan(ours):
            assert "".join(bit_fields(ours, name)) == bits


@pytest.mark.parametrize(
    "number", [0.0, 1.0, -2.5, 3.1415927410125732, 1e-40, 3.4028234663852886e38]
)
def test_fp32_there_and_back(number):
    assert from_bit_fields(*bit_fields(number, "fp32"), "fp32") == pytest.approx(number, rel=1e-5)
    value = torch.tensor(number, dtype=torch.float32).item()
    assert from_bit_fields(*bit_fields(value, "fp32"), "fp32") == value


def test_by_hand():
    assert bit_fields(-6.5, "bf16") == ("1", "10000001", "1010000")  # -2^2 * (1 + 5/8)
    assert number_format("fp8_e4m3").largest == 448.0
    assert number_format("fp8_e5m2").largest == 57_344.0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"name: expected one of \('fp32', .* got 'fp4'"):
        number_format("fp4")
    with pytest.raises(ShapeError, match="number: expected one=1, got 2"):
        bit_fields(torch.zeros(2), "fp16")
    with pytest.raises(ValueError, match=r"bits: expected 1 and \(5, 10\) bits, got 1 and \(4, 10"):
        from_bit_fields("0", "0000", "0" * 10, "fp16")
