"""Build the kernels of ``flash_triton`` for a GPU that need not be there."""

from typing import Any

import torch

from llm_course.model import flash_triton


def built(name: str, dtype: torch.dtype, d: int, capability: int, masked: bool) -> Any:
    """A kernel compiled with the tiles that are chosen for it."""
    import triton
    from triton.backends.compiler import GPUTarget

    kernel = getattr(flash_triton.kernels(), name)
    short = {torch.bfloat16: "bf16", torch.float32: "fp32"}[dtype]
    options = flash_triton._tiles(name, torch.empty(1, d, dtype=dtype), None)
    constants = {key: options.pop(key) for key in ("ROWS", "COLUMNS")}
    constants |= {"D": d, "CAUSAL": True, "MASKED": masked, "PRECISION": "ieee"}
    integers = {"n_queries", "n_keys", "n_heads", "shared", *(f"stride_{axis}" for axis in "bhqk")}
    signature = dict.fromkeys(kernel.arg_names, f"*{short}")
    signature |= dict.fromkeys(integers, "i32") | dict.fromkeys(constants, "constexpr")
    kinds = {"scale": "fp32", "slope": "fp32", "normaliser": "*fp32", "through_all": "*fp32"}
    kinds["visible"] = "*i1"
    signature |= {name: kind for name, kind in kinds.items() if name in signature}
    aligned = {
        (i,): [["tt.divisibility", 16]]
        for i, name in enumerate(kernel.arg_names)
        if signature[name].startswith("*")
    }
    signature = {name: signature[name] for name in kernel.arg_names}
    source = triton.compiler.ASTSource(kernel, signature, constants, aligned)
    return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
