"""The pre-norm block against its formula and against PyTorch's encoder layer."""

import torch
from torch import nn

from llm_course.model.attention import fused_attention
from llm_course.model.block import Block
from llm_course.model.config import DecoderConfig
from llm_course.model.masks import causal_mask

CONFIG = DecoderConfig(
    vocab_size=9, context_length=8, d_model=8, n_layers=1, n_heads=4, n_kv_heads=2, d_ff=12
)
GPT = DecoderConfig(
    vocab_size=9, context_length=8, d_model=8, n_layers=1, n_heads=2, d_ff=12,
    norm="layer_norm", feed_forward="gelu", position="learned", bias=True,
)  # fmt: skip


def test_equals_torchs_pre_norm_layer_with_copied_weights():
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(
        8, 2, 12, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    for weight in theirs.parameters():
        nn.init.normal_(weight)
    names = {"attention.output": "self_attn.out_proj", "attention_norm": "norm1",
             "feed_forward_norm": "norm2", "feed_forward.up": "linear1",
             "feed_forward.down": "linear2"}  # fmt: skip
    source = theirs.state_dict()
    state = {f"{ours}.{kind}": source[f"{name}.{kind}"]
             for ours, name in names.items() for kind in ("weight", "bias")}  # fmt: skip
    for kind in ("weight", "bias"):
        thirds = source[f"self_attn.in_proj_{kind}"].chunk(3)
        for name, third in zip(("query", "key", "value"), thirds, strict=True):
            state[f"attention.{name}.{kind}"] = third
    ours = Block(GPT).double()
    ours.load_state_dict(state)
    x = torch.randn(2, 5, 8).double()
    expected = theirs(x, src_mask=~causal_mask(5))
    torch.testing.assert_close(ours(x, causal_mask(5)), expected, atol=1e-11, rtol=0)


def test_sub_layers_add_to_the_stream_and_do_not_replace_it():
    block, x = Block(CONFIG), torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    nn.init.zeros_(block.attention.output.weight)
    nn.init.zeros_(block.feed_forward.down.weight)
    assert torch.equal(block(x), x)


def test_kernel_is_an_argument():
    torch.manual_seed(0)
    plain, fused = Block(CONFIG), Block(CONFIG, attend=fused_attention)
    fused.load_state_dict(plain.state_dict())
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(fused(x, causal_mask(5)), plain(x, causal_mask(5)))
    called = []

    def attend(query, key, value, mask):
        called.append((query.shape, key.shape, value.shape, mask))
        return torch.zeros_like(query)

    Block(CONFIG, attend=attend)(x)
    assert called == [((2, 4, 5, 2), (2, 2, 5, 2), (2, 2, 5, 2), None)]


def test_names_of_the_weights():
    linear = {f"attention.{name}" for name in ("query", "key", "value", "output")}
    norms = {"attention_norm", "feed_forward_norm"}
    gated = linear | norms | {"feed_forward.gate", "feed_forward.up", "feed_forward.down"}
    assert Block(CONFIG).state_dict().keys() == {f"{name}.weight" for name in gated}
    plain = gated - {"feed_forward.gate"}
    both = {f"{name}.{kind}" for name in plain for kind in ("weight", "bias")}
    assert Block(GPT).state_dict().keys() == both
