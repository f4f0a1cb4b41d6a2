"""Safetensors files, written whole or not at all, and read with errors that say what to do.

Leaves out every other format: a pickle runs code when it is read, so none is ever loaded.
"""

import os
import re
from collections.abc import Mapping

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from llm_course.errors import CourseError
from llm_course.files import atomic_path


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write named tensors and text beside them; a reader never sees a part of the file.

    Raises:
        CourseError: the disk is full or the folder cannot be written.

    >>> import tempfile, torch
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "a.safetensors")
    >>> write_tensors(path, {"x": torch.tensor([1.0, 2.0])}, {"units": "metres"})
    >>> read_tensors(path, fix="write it again")
    ({'x': tensor([1., 2.])}, {'units': 'metres'})
    """
    contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        # The library leaves its file readable by the owner alone; keep what a new file here gets.
        temporary.touch()
        mode = temporary.stat().st_mode
        try:
            save_file(contiguous, temporary, metadata=dict(metadata))
        except SafetensorError as error:
            raise _as_os_error(error) from error
        temporary.chmod(mode)


def read_tensors(
    path: str | os.PathLike[str], fix: str
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors of a safetensors file and the text beside them.

    The tensors are mapped, not copied: a page is read when it is first used, and a write to one
    stays in memory.

    Args:
        path: the file.
        fix: what the reader should do when the file is damaged; it ends the message.

    Raises:
        CourseError: the file is absent, truncated or not safetensors.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise CourseError(
            f"{path}: expected a whole safetensors file, got: {reason}. Fix: {fix}"
        ) from error


def _as_os_error(error: SafetensorError) -> Exception:
    """The system's error inside the library's, which names it in its text alone."""
    number = re.search(r"os error (\d+)", str(error))
    return OSError(int(number[1]), str(error)) if number else error
