"""The forward kernel of ``flash_triton``: one program for each tile of queries of one head.

A tile of scores lives in the registers of one program and is never written. Scores are kept in
powers of two (``exp2`` is what the hardware has), so ``scale`` holds a factor ``log2(e)``. Tensors
lie without gaps; ``visible`` is a mask with a stride for each axis, 0 where it is broadcast.
``EDGE`` says whether a tile may reach over the diagonal or the end of the keys: inner tiles skip
every comparison. Leaves out dropout and any bias of the scores.

Importing this needs Triton; ``flash_triton`` does it when a kernel is first wanted.
"""

import triton
import triton.language as tl

HIDDEN = tl.constexpr(float("-inf"))
NEVER = tl.constexpr(float("inf"))  # the normaliser of a query that sees nothing


@triton.jit
def load_rows(base, rows, n_rows, D: tl.constexpr, EDGE: tl.constexpr):
    """Some rows of a matrix ``n d``; zeros below its end."""
    at = base + rows[:, None] * D + tl.arange(0, D)[None, :]
    if EDGE:
        loaded = tl.load(at, mask=rows[:, None] < n_rows, other=0.0)
    else:
        loaded = tl.load(at)
    return loaded


@triton.jit
def store_rows(base, rows, n_rows, x, D: tl.constexpr):
    """Write some rows of a matrix ``n d``, as far as it goes."""
    at = base + rows[:, None] * D + tl.arange(0, D)[None, :]
    tl.store(at, x.to(base.dtype.element_ty), mask=rows[:, None] < n_rows)


@triton.jit
def hide(
    scores, q, k, n_queries, n_keys, visible, stride_q, stride_k,
    CAUSAL: tl.constexpr, MASKED: tl.constexpr, EDGE: tl.constexpr,
):  # fmt: skip
    """Hidden keys at ``-inf``; the positions ``q`` and ``k`` broadcast to the tile."""
    if EDGE:
        scores = tl.where(k < n_keys, scores, HIDDEN)
        if CAUSAL:
            scores = tl.where(k <= q, scores, HIDDEN)
    if MASKED:
        at = visible + q.to(tl.int64) * stride_q + k.to(tl.int64) * stride_k
        seen = tl.load(at, mask=(q < n_queries) & (k < n_keys), other=0)
        scores = tl.where(seen != 0, scores, HIDDEN)
    return scores


@triton.jit
def _attend(
    running, start, end, q, key, value, rows, scale, n_queries, n_keys, visible, stride_q, stride_k,
    D: tl.constexpr, COLUMNS: tl.constexpr, CAUSAL: tl.constexpr, MASKED: tl.constexpr,
    EDGE: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Take the keys ``start .. end`` into a running softmax of largest, total and weighted."""
    largest, total, weighted = running
    for first in range(start, end, COLUMNS):
        columns = first + tl.arange(0, COLUMNS)
        k = load_rows(key, columns, n_keys, D, EDGE)
        scores = tl.dot(q, tl.trans(k), input_precision=PRECISION) * scale
        scores = hide(
            scores, rows[:, None], columns[None, :], n_queries, n_keys, visible, stride_q, stride_k,
            CAUSAL, MASKED, EDGE,
        )  # fmt: skip
        larger = tl.maximum(largest, tl.max(scores, 1))
        finite = tl.where(larger == HIDDEN, 0.0, larger)  # -inf - -inf is no number
        weights = tl.exp2(scores - finite[:, None])
        keep = tl.exp2(largest - finite)
        total = total * keep + tl.sum(weights, 1)
        v = load_rows(value, columns, n_keys, D, EDGE)
        product = tl.dot(weights.to(v.dtype), v, input_precision=PRECISION)
        weighted = weighted * keep[:, None] + product
        largest = larger
    return largest, total, weighted


@triton.jit
def forward(
    query, key, value, visible, output, normaliser, scale, n_queries, n_keys, n_heads, shared,
    stride_b, stride_h, stride_q, stride_k,
    D: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
    CAUSAL: tl.constexpr, MASKED: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """One tile of queries of one head: its output, and ``log2 sum exp2(score)``.

    Source:
        Dao 2023, arXiv:2307.08691, algorithm 1.
    """
    tile = tl.num_programs(0) - 1 - tl.program_id(0)  # the longest rows of a causal mask first
    head = tl.program_id(1).to(tl.int64)  # of all sequences: b h as one axis
    rows = tile * ROWS + tl.arange(0, ROWS)
    query += head * n_queries * D
    output += head * n_queries * D
    key += head // shared * n_keys * D
    value += head // shared * n_keys * D
    visible += head // n_heads * stride_b + head % n_heads * stride_h
    q = load_rows(query, rows, n_queries, D, True)
    end = tl.minimum((tile + 1) * ROWS, n_keys) if CAUSAL else n_keys
    inner = (tl.minimum(tile * ROWS, n_keys) if CAUSAL else n_keys) // COLUMNS * COLUMNS
    nothing = tl.full([ROWS], HIDDEN, tl.float32)
    running = nothing, tl.zeros([ROWS], tl.float32), tl.zeros([ROWS, D], tl.float32)
    running = _attend(
        running, 0, inner, q, key, value, rows, scale, n_queries, n_keys, visible, stride_q,
        stride_k, D, COLUMNS, CAUSAL, MASKED, False, PRECISION,
    )  # fmt: skip
    running = _attend(
        running, inner, end, q, key, value, rows, scale, n_queries, n_keys, visible, stride_q,
        stride_k, D, COLUMNS, CAUSAL, MASKED, True, PRECISION,
    )  # fmt: skip
    largest, total, weighted = running
    blind = total == 0
    total = tl.where(blind, 1.0, total)
    store_rows(output, rows, n_queries, weighted / total[:, None], D)
    summed = tl.where(blind, NEVER, largest + tl.log2(total))
    tl.store(normaliser + head * n_queries + rows, summed, mask=rows < n_queries)
