"""Where Triton is missing its kernels are not looked into for doctests: they cannot be imported."""

import importlib.util

collect_ignore = (
    []
    if importlib.util.find_spec("triton")
    else ["llm_course/model/flash_triton_forward.py", "llm_course/model/flash_triton_backward.py"]
)
