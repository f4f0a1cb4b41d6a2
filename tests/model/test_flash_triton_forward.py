"""The forward kernel compiles for GPUs, which need not be there; ``test_flash_triton`` runs it."""

import pytest
import torch

from tests.model.triton_build import built

pytestmark = pytest.mark.needs("triton")
NAMES = ["forward"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("capability", [80, 90])
def test_for_tensor_cores_and_within_shared_memory(name, capability):
    kernel = built(name, torch.bfloat16, 128, capability, masked=False)
    assert ("wgmma" if capability == 90 else "mma.sync") in kernel.asm["ptx"]
    assert kernel.metadata.shared <= 99 * 1024, "a consumer's card has no more"


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_is_not_rounded_to_tf32(name):
    kernel = built(name, torch.float32, 32, 80, masked=True)
    assert "tf32" not in kernel.asm["ptx"] and "fma.rn.f32" in kernel.asm["ptx"]
    assert kernel.metadata.shared <= 99 * 1024
