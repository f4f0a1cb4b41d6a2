"""The Triton kernels against attention in fp64, interpreted on a CPU and compiled on a GPU.

Whether kernels are interpreted is decided when Triton is imported, so a process of its own does
that, for all tests of this file.
"""

import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch

from llm_course.model import flash_triton
from llm_course.model.attention import scaled_dot_product_attention
from llm_course.model.flash_triton import flash_attention_triton
from llm_course.model.masks import causal_mask
from llm_course.shapes import ShapeError

TRITON = pytest.mark.needs("triton")


def drawn(b=1, h=2, g=1, q=37, k=37, d=32, dtype=torch.float32, device="cpu"):
    generator = torch.Generator().manual_seed(0)
    shapes = (b, h, q, d), (b, g, k, d), (b, g, k, d)
    return [torch.randn(shape, generator=generator).to(device, dtype) for shape in shapes]


def gradients(attend, inputs, mask, options):
    """Output and gradients; this is what the other process runs."""
    inputs = [x.detach().requires_grad_() for x in inputs]
    output = attend(*inputs, mask, **options)
    weight = torch.linspace(-1, 1, output.numel()).reshape(output.shape)
    slopes = torch.autograd.grad(output, inputs, weight.to(output))
    return [x.detach() for x in (output, *slopes)]


@pytest.fixture(scope="module")
def interpreter():
    """A process in which Triton interprets its kernels."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        with pytest.MonkeyPatch.context() as patch:  # for the other process only
            patch.setenv("TRITON_INTERPRET", "1")
            assert pool.submit(flash_triton.interpreted).result()  # it starts here
        yield pool


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def ours(request):
    """What computes output and gradients by the kernels, on plain CPU tensors."""

    def on_gpu(inputs, mask, options):
        mask = None if mask is None else mask.cuda()
        results = gradients(flash_attention_triton, [x.cuda() for x in inputs], mask, options)
        return [x.cpu() for x in results]

    def on_cpu(inputs, mask, options):
        pool = request.getfixturevalue("interpreter")
        job = pool.submit(gradients, flash_attention_triton, inputs, mask, options)
        return job.result()

    return on_gpu if request.param == "cuda" else on_cpu


def check(ours, inputs, mask=None, tolerance=1e-5, **options):
    """Compare with the matrix of weights in fp64; return ours."""
    n_queries, n_keys = inputs[0].shape[2], inputs[1].shape[2]
    seen = torch.ones(n_queries, n_keys, dtype=torch.bool)
    seen = causal_mask(n_keys) if options.get("causal") else seen
    seen = seen if mask is None else seen & mask
    results = ours(inputs, mask, options)
    wide = [x.double() for x in inputs]
    expected = gradients(scaled_dot_product_attention, wide, seen, {})
    for mine, other in zip(results, expected, strict=True):
        torch.testing.assert_close(mine.double(), other, rtol=tolerance, atol=tolerance)
        assert mine.dtype == inputs[0].dtype
    return results


def padding(b, k):
    lengths = torch.tensor([k // 2 + 1, 1, k])[:b]
    return (torch.arange(k) < lengths[:, None])[:, None, None, :]


@TRITON
@pytest.mark.parametrize("d", [32, 64, 128])
@pytest.mark.parametrize("causal", [True, False])
def test_equal_to_attention_in_double_precision(ours, d, causal):
    check(ours, drawn(d=d), causal=causal, tile=16)


@TRITON
@pytest.mark.parametrize(("q", "k"), [(16, 16), (1, 1), (17, 33), (33, 16), (3, 0)])
def test_lengths_that_do_and_do_not_divide_the_tile(ours, q, k):
    check(ours, drawn(q=q, k=k), tile=16)


@TRITON
@pytest.mark.parametrize("length", [1, 16, 17, 32, 47])
def test_causal_lengths(ours, length):
    check(ours, drawn(q=length, k=length), causal=True, tile=16)


@TRITON
@pytest.mark.parametrize(("h", "g"), [(2, 2), (3, 1), (4, 2)])
def test_heads_share_keys_and_values(ours, h, g):
    check(ours, drawn(b=2, h=h, g=g, q=18, k=18), causal=True, tile=16)


@TRITON
@pytest.mark.parametrize("causal", [True, False])
def test_padding(ours, causal):
    check(ours, drawn(b=3, h=1, q=20, k=20), padding(3, 20), causal=causal, tile=16)


@TRITON
@pytest.mark.parametrize("shape", ["q k", "b 1 q k", "1 h q k", "b h 1 1", "1 1 q 1"])
def test_every_shape_of_mask(ours, shape):
    sizes = {"b": 2, "h": 2, "q": 18, "k": 19, "1": 1}
    generator = torch.Generator().manual_seed(5)
    mask = torch.rand([sizes[axis] for axis in shape.split()], generator=generator) < 0.6
    check(ours, drawn(b=2, q=18, k=19), mask, tile=16)


@TRITON
def test_a_query_that_sees_nothing_gets_zeros_and_no_gradient(ours):
    mask = torch.ones(18, 18, dtype=torch.bool)
    mask[3] = False
    output, d_query, *_ = check(ours, drawn(q=18, k=18), mask, tile=16)
    assert output[:, :, 3].abs().max() == 0 and d_query[:, :, 3].abs().max() == 0


@TRITON
def test_large_scores_do_not_overflow(ours):
    query, key, value = drawn()
    check(ours, [50 * query, 50 * key, value], causal=True, tile=16, tolerance=1e-3)


@TRITON
@pytest.mark.parametrize("d", [64, 128])
def test_the_tiles_of_a_gpu_and_half_precision(ours, d):
    """fp16 keeps 11 bits: errors are of the order of 2⁻¹¹ in outputs near 1."""
    check(ours, drawn(q=140, k=140, d=d, dtype=torch.float16), causal=True, tolerance=1e-2)


@TRITON
def test_tensors_that_do_not_lie_in_order(ours):
    inputs = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in drawn(h=3, q=18, k=18)]
    assert not inputs[0].is_contiguous()
    check(ours, inputs, causal=True, tile=16)


@pytest.mark.gpu
@TRITON
@pytest.mark.parametrize("d", [64, 128])
@pytest.mark.parametrize("causal", [True, False])
def test_bfloat16_is_as_near_as_pytorchs(d, causal):
    inputs = drawn(b=2, h=8, g=8, q=1000, k=1000, d=d, dtype=torch.bfloat16, device="cuda")
    torchs = torch.nn.functional.scaled_dot_product_attention
    exact = gradients(torchs, [x.double() for x in inputs], None, {"is_causal": causal})
    theirs = gradients(torchs, inputs, None, {"is_causal": causal})
    mine = gradients(flash_attention_triton, inputs, None, {"causal": causal})
    for name, a, b, true in zip("oqkv", mine, theirs, exact, strict=True):
        error, other = ((x.double() - true).abs().max().item() for x in (a, b))
        assert error < 2 * other, f"{name}: error {error:.2e}, PyTorch's {other:.2e}"


@TRITON
def test_a_cpu_without_the_interpreter_is_refused():
    with pytest.raises(ValueError, match=r"query: expected a CUDA device, got cpu\. Fix: "):
        flash_attention_triton(*drawn())


def test_without_triton_the_module_imports_and_says_what_to_install():
    script = (
        "import sys; sys.modules['triton'] = None\n"
        "import torch; from llm_course.model.flash_triton import flash_attention_triton\n"
        "flash_attention_triton(*[torch.ones(1, 1, 2, 32)] * 3)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.returncode == 1
    last = found.stderr.strip().splitlines()[-1]
    assert "CourseError: triton: expected the package, got none" in last and "Fix: " in last


@TRITON
@pytest.mark.parametrize(
    ("sizes", "change", "options", "error", "words"),
    [
        ({"h": 4, "g": 3}, None, {}, ShapeError, "key: expected heads that divide n_heads=4"),
        ({"q": 5}, None, {"causal": True}, ShapeError, "causal: expected as many queries"),
        ({"d": 48}, None, {}, ShapeError, "query: expected d in .* got 48"),
        ({}, "double", {}, TypeError, "value: expected one dtype for all, .* got torch.float64"),
        ({"dtype": torch.bfloat16}, None, {}, TypeError, "query: expected float32 or float16 on"),
        ({}, None, {"tile": 24}, ValueError, "tile: expected a power of two from 16, got 24"),
        ({}, None, {"tile": 8}, ValueError, "tile: expected a power of two from 16, got 8"),
        ({}, None, {"mask": torch.ones(37, 37)}, TypeError, "mask: expected bool"),
    ],
)
def test_what_does_not_fit_is_refused(interpreter, sizes, change, options, error, words):
    query, key, value = drawn(**sizes)
    value = value if change is None else getattr(value, change)()
    with pytest.raises(error, match=words):
        interpreter.submit(flash_attention_triton, query, key, value, **options).result()
