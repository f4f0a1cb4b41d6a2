"""The backward kernels of ``flash_triton``: one for the queries, one for keys and values.

Each makes the tiles of weights again, from the normaliser that the forward pass kept, in the order
in which its own sums stay in registers: nothing is added to by two programs, so no atomics.
"""

import triton
import triton.language as tl

from llm_course.model.flash_triton_forward import NEVER, hide, load_rows, store_rows


@triton.jit
def _add_to_query(
    d_q, start, end, q, d_out, through, summed, key, value, rows, scale, n_queries, n_keys,
    visible, stride_q, stride_k,
    D: tl.constexpr, COLUMNS: tl.constexpr, CAUSAL: tl.constexpr, MASKED: tl.constexpr,
    EDGE: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """What the keys ``start .. end`` add to the slope of a tile of queries: ``dS K``."""
    for first in range(start, end, COLUMNS):
        columns = first + tl.arange(0, COLUMNS)
        k = load_rows(key, columns, n_keys, D, EDGE)
        v = load_rows(value, columns, n_keys, D, EDGE)
        scores = tl.dot(q, tl.trans(k), input_precision=PRECISION) * scale
        scores = hide(
            scores, rows[:, None], columns[None, :], n_queries, n_keys, visible, stride_q, stride_k,
            CAUSAL, MASKED, EDGE,
        )  # fmt: skip
        weights = tl.exp2(scores - summed[:, None])
        d_weights = tl.dot(d_out, tl.trans(v), input_precision=PRECISION)
        d_scores = weights * (d_weights - through[:, None])
        d_q += tl.dot(d_scores.to(k.dtype), k, input_precision=PRECISION)
    return d_q


@triton.jit
def backward_query(
    query, key, value, visible, output, normaliser, d_output, through_all, d_query, scale, slope,
    n_queries, n_keys, n_heads, shared, stride_b, stride_h, stride_q, stride_k,
    D: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
    CAUSAL: tl.constexpr, MASKED: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """One tile of queries: ``dQ = slope dS K``; and ``D = rowsum(dO * O)``, which others read.

    Source:
        Dao 2023, arXiv:2307.08691, algorithm 2, its rows instead of its columns.
    """
    tile = tl.num_programs(0) - 1 - tl.program_id(0)
    head = tl.program_id(1).to(tl.int64)
    rows = tile * ROWS + tl.arange(0, ROWS)
    here = head * n_queries * D
    key += head // shared * n_keys * D
    value += head // shared * n_keys * D
    visible += head // n_heads * stride_b + head % n_heads * stride_h
    q = load_rows(query + here, rows, n_queries, D, True)
    d_out = load_rows(d_output + here, rows, n_queries, D, True)
    out = load_rows(output + here, rows, n_queries, D, True)
    through = tl.sum(d_out.to(tl.float32) * out.to(tl.float32), 1)
    tl.store(through_all + head * n_queries + rows, through, mask=rows < n_queries)
    summed = tl.load(normaliser + head * n_queries + rows, mask=rows < n_queries, other=NEVER)
    end = tl.minimum((tile + 1) * ROWS, n_keys) if CAUSAL else n_keys
    inner = (tl.minimum(tile * ROWS, n_keys) if CAUSAL else n_keys) // COLUMNS * COLUMNS
    d_q = tl.zeros([ROWS, D], tl.float32)
    d_q = _add_to_query(
        d_q, 0, inner, q, d_out, through, summed, key, value, rows, scale, n_queries, n_keys,
        visible, stride_q, stride_k, D, COLUMNS, CAUSAL, MASKED, False, PRECISION,
    )  # fmt: skip
    d_q = _add_to_query(
        d_q, inner, end, q, d_out, through, summed, key, value, rows, scale, n_queries, n_keys,
        visible, stride_q, stride_k, D, COLUMNS, CAUSAL, MASKED, True, PRECISION,
    )  # fmt: skip
    store_rows(d_query + here, rows, n_queries, d_q * slope, D)


@triton.jit
def _add_to_key(
    d_k, d_v, start, end, k, v, query, d_output, through_all, normaliser, columns, scale,
    n_queries, n_keys, visible, stride_q, stride_k,
    D: tl.constexpr, ROWS: tl.constexpr, CAUSAL: tl.constexpr, MASKED: tl.constexpr,
    EDGE: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """What the queries ``start .. end`` add to the slopes of a tile of keys and values.

    Tiles are transposed, keys by queries, so that ``dSᵀ Q`` and ``Pᵀ dO`` need no turning.
    """
    for first in range(start, end, ROWS):
        rows = first + tl.arange(0, ROWS)
        q = load_rows(query, rows, n_queries, D, EDGE)
        d_out = load_rows(d_output, rows, n_queries, D, EDGE)
        # Below the end the normaliser is inf, and every weight 0.
        summed = tl.load(normaliser + rows, mask=rows < n_queries, other=NEVER)
        through = tl.load(through_all + rows, mask=rows < n_queries, other=0.0)
        scores = tl.dot(k, tl.trans(q), input_precision=PRECISION) * scale
        scores = hide(
            scores, rows[None, :], columns[:, None], n_queries, n_keys, visible, stride_q, stride_k,
            CAUSAL, MASKED, EDGE,
        )  # fmt: skip
        weights = tl.exp2(scores - summed[None, :])
        d_v += tl.dot(weights.to(d_out.dtype), d_out, input_precision=PRECISION)
        d_weights = tl.dot(v, tl.trans(d_out), input_precision=PRECISION)
        d_scores = weights * (d_weights - through[None, :])
        d_k += tl.dot(d_scores.to(q.dtype), q, input_precision=PRECISION)
    return d_k, d_v


@triton.jit
def backward_key(
    query, key, value, visible, normaliser, d_output, through_all, d_key, d_value, scale, slope,
    n_queries, n_keys, n_heads, shared, stride_b, stride_h, stride_q, stride_k,
    D: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
    CAUSAL: tl.constexpr, MASKED: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """One tile of keys, read by all heads of its group: ``dK = slope dSᵀ Q`` and ``dV = Pᵀ dO``.

    Source:
        Dao 2023, arXiv:2307.08691, algorithm 2.
    """
    tile = tl.program_id(0)
    group = tl.program_id(1).to(tl.int64)
    columns = tile * COLUMNS + tl.arange(0, COLUMNS)
    here = group * n_keys * D
    k = load_rows(key + here, columns, n_keys, D, True)
    v = load_rows(value + here, columns, n_keys, D, True)
    start = tile * COLUMNS // ROWS * ROWS if CAUSAL else 0
    # Tiles on the diagonal, whole tiles below it, and the last one, which may be cut short.
    whole = n_queries // ROWS * ROWS
    below = tl.minimum(tl.cdiv((tile + 1) * COLUMNS, ROWS) * ROWS, whole) if CAUSAL else 0
    below = tl.maximum(below, start)
    d_k = tl.zeros([COLUMNS, D], tl.float32)
    d_v = tl.zeros([COLUMNS, D], tl.float32)
    for member in range(shared):
        head = group * shared + member
        q_here, d_here = query + head * n_queries * D, d_output + head * n_queries * D
        t_here, n_here = through_all + head * n_queries, normaliser + head * n_queries
        seen = visible + head // n_heads * stride_b + head % n_heads * stride_h
        d_k, d_v = _add_to_key(
            d_k, d_v, start, below, k, v, q_here, d_here, t_here, n_here, columns, scale,
            n_queries, n_keys, seen, stride_q, stride_k, D, ROWS, CAUSAL, MASKED, True, PRECISION,
        )  # fmt: skip
        d_k, d_v = _add_to_key(
            d_k, d_v, below, whole, k, v, q_here, d_here, t_here, n_here, columns, scale,
            n_queries, n_keys, seen, stride_q, stride_k, D, ROWS, CAUSAL, MASKED, False, PRECISION,
        )  # fmt: skip
        d_k, d_v = _add_to_key(
            d_k, d_v, tl.maximum(below, whole), n_queries, k, v, q_here, d_here, t_here, n_here,
            columns, scale, n_queries, n_keys, seen, stride_q, stride_k, D, ROWS, CAUSAL, MASKED,
            True, PRECISION,
        )  # fmt: skip
    store_rows(d_key + here, columns, n_keys, d_k * slope, D)
    store_rows(d_value + here, columns, n_keys, d_v, D)
