"""Values that cross between the tests and a student's code: JSON, and nothing that can run.

The sandbox's side is not trusted, so `loads` accepts only what is listed here and gives plain
values: an object of a student's own class arrives as what it is a kind of, or not at all. Arrays
are sent as element type, shape and raw bytes; there is no header to parse and no pickle. bfloat16
crosses as the bits of a uint16. Leaves out functions, open files and modules.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LARGEST = 64 * 2**20  # characters of one message
DEEPEST = 64  # containers inside containers
KINDS = "biufcSU"  # NumPy's kinds of plain elements


class WireError(ValueError):
    """A value that cannot cross, or a message that is not one of ours."""


def dumps(value: Any) -> str:
    """`value` as one line of text.

    Raises:
        WireError: the value holds something that cannot cross, or is too large.

    >>> dumps((1, [2.5, None]))
    '["tuple", [1, ["list", [2.5, null]]]]'
    """
    try:
        text = json.dumps(_packed(value, 0))
    except (RecursionError, ValueError) as error:
        raise WireError(str(error) or "nested too deeply") from None
    if len(text) > LARGEST:
        raise WireError(f"expected at most {LARGEST:,} characters, got {len(text):,}")
    return text


def loads(text: str) -> Any:
    """The value that `dumps` wrote; an unknown text is an error, never something else.

    Raises:
        WireError: it is not such a text.

    >>> loads(dumps({"a": (1, {2})}))
    {'a': (1, {2})}
    """
    if len(text) > LARGEST:
        raise WireError(f"expected at most {LARGEST:,} characters, got {len(text):,}")
    try:
        return _unpacked(json.loads(text), 0)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, MemoryError) as error:
        raise WireError(f"not a value: {type(error).__name__}") from None


def _packed(value: Any, depth: int) -> Any:
    """`value` as JSON: scalars as they are, everything else as ``[tag, content]``."""
    if depth > DEEPEST:
        raise WireError(f"expected at most {DEEPEST} containers inside each other")
    if value is None or isinstance(value, bool):
        return value
    for kind, pack in _SCALARS:
        if isinstance(value, kind):
            return pack(value)
    if isinstance(value, Mapping):
        pairs = [[_packed(k, depth + 1), _packed(v, depth + 1)] for k, v in value.items()]
        return ["dict", pairs]
    for tag, kind in (("tuple", tuple), ("list", list), ("set", set), ("frozenset", frozenset)):
        if isinstance(value, kind):
            return [tag, [_packed(item, depth + 1) for item in value]]
    if isinstance(value, np.ndarray):
        return ["array", _array(value)]
    packed = _packed_torch(value)
    if packed is None:
        raise WireError(
            "expected numbers, text, tensors, arrays, or lists, tuples, sets and dictionaries "
            f"of them, got {type(value).__name__}"
        )
    return packed


# A subclass crosses as what it is a kind of: a tuple that claims to equal everything stays behind.
_SCALARS: Sequence[tuple[type, Any]] = (
    (np.generic, lambda v: ["scalar", _array(np.asarray(v))]),
    (int, int),
    (float, lambda v: float(v) if math.isfinite(v) else ["float", repr(float(v))]),
    (complex, lambda v: ["complex", [repr(v.real), repr(v.imag)]]),
    (str, lambda v: str.__str__(v)),
    ((bytes, bytearray), lambda v: ["bytes", base64.b64encode(bytes(v)).decode()]),
    (range, lambda v: ["range", [v.start, v.stop, v.step]]),
)


def _array(array: np.ndarray) -> dict[str, Any]:
    """An array's element type, shape and bytes."""
    if array.dtype.kind not in KINDS:
        raise WireError(f"expected an array of numbers or text, got dtype {array.dtype}")
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    data = base64.b64encode(little.tobytes()).decode()
    return {"dtype": little.dtype.str, "shape": list(array.shape), "data": data}


def _packed_torch(value: Any) -> Any:
    """Tensors and what comes with them, None for anything else."""
    import torch

    if isinstance(value, torch.Tensor):
        tensor = value.detach()
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise WireError(f"expected a dense CPU tensor, got {tensor.layout} on {tensor.device}")
        tensor = tensor.resolve_conj().resolve_neg().contiguous()
        name = str(tensor.dtype).removeprefix("torch.")
        if tensor.dtype == torch.bfloat16:
            tensor = tensor.view(torch.uint16)
        return ["tensor", {"torch": name, **_array(tensor.numpy())}]
    if isinstance(value, torch.dtype):
        return ["dtype", str(value).removeprefix("torch.")]
    if isinstance(value, torch.device):
        return ["device", str(value)]
    if isinstance(value, torch.Generator):
        return ["generator", _array(value.get_state().numpy())]
    return None


def _unpacked(found: Any, depth: int) -> Any:
    """The value of parsed JSON."""
    if depth > DEEPEST:
        raise WireError("nested too deeply")
    if not isinstance(found, list):
        if isinstance(found, dict):
            raise WireError("not a value: a bare object")
        return found
    tag, content = found
    if tag == "dict":
        return {_unpacked(k, depth + 1): _unpacked(v, depth + 1) for k, v in content}
    if tag in _CONTAINERS:
        return _CONTAINERS[tag](_unpacked(item, depth + 1) for item in content)
    if tag in _READERS:
        return _READERS[tag](content)
    raise WireError("not a value: an unknown tag")


def _read_array(content: Any) -> np.ndarray:
    """An array, once its size is known to be that of its bytes."""
    dtype, shape = np.dtype(str(content["dtype"])), [int(size) for size in content["shape"]]
    if dtype.kind not in KINDS or dtype.hasobject or any(size < 0 for size in shape):
        raise WireError("not an array of numbers or text")
    data = base64.b64decode(content["data"], validate=True)
    if math.prod(shape) * dtype.itemsize != len(data):
        raise WireError("an array whose shape is not that of its bytes")
    return np.frombuffer(data, dtype=dtype).reshape(shape).copy()


def _read_tensor(content: Any) -> Any:
    """A tensor."""
    import torch

    dtype, array = _torch_dtype(content["torch"]), _read_array(content)
    tensor = torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))
    if dtype == torch.bfloat16:
        return tensor.view(torch.bfloat16)
    if tensor.dtype != dtype:
        raise WireError("a tensor whose dtype is not that of its elements")
    return tensor


def _torch_dtype(name: Any) -> Any:
    """PyTorch's dtype of that name."""
    import torch

    found = getattr(torch, str(name), None)
    if not isinstance(found, torch.dtype):
        raise WireError("not a dtype of PyTorch")
    return found


def _read_device(content: Any) -> Any:
    """The CPU: no other device is known here."""
    import torch

    if content != "cpu":
        raise WireError("expected the device cpu")
    return torch.device("cpu")


def _read_generator(content: Any) -> Any:
    """A random generator in the state that was sent."""
    import torch

    generator = torch.Generator()
    try:
        generator.set_state(torch.from_numpy(_read_array(content)))
    except RuntimeError:
        raise WireError("not the state of a generator") from None
    return generator


_CONTAINERS = {"tuple": tuple, "list": list, "set": set, "frozenset": frozenset}
_READERS = {
    "array": _read_array,
    "scalar": lambda content: _read_array(content)[()],
    "float": lambda content: {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[content],
    "complex": lambda content: complex(float(content[0]), float(content[1])),
    "bytes": lambda content: base64.b64decode(content, validate=True),
    "range": lambda content: range(*(int(part) for part in content)),
    "tensor": _read_tensor,
    "dtype": _torch_dtype,
    "device": _read_device,
    "generator": _read_generator,
}
