"""Encoder and decoder against ``nn.Transformer`` with copied weights, masks and all."""

import pytest
import torch
from torch import nn

from llm_course.model.attention import fused_attention, scaled_dot_product_attention
from llm_course.model.config import DecoderConfig, EncoderDecoderConfig
from llm_course.model.config_parts import Wiring
from llm_course.model.encoder_decoder import EncoderDecoder
from llm_course.model.masks import causal_mask, padding_mask
from llm_course.model.sinusoidal import sinusoidal_positions

VOCABULARY, D, LAYERS = 30, 16, 3
SOURCE = torch.randint(1, VOCABULARY, (2, 9), generator=torch.Generator().manual_seed(0))
TARGET = torch.randint(1, VOCABULARY, (2, 6), generator=torch.Generator().manual_seed(1))
SOURCE[0, 6:] = TARGET[1, 4:] = 0  # padding
KERNELS = pytest.mark.parametrize("attend", [scaled_dot_product_attention, fused_attention])
PLACEMENTS = pytest.mark.parametrize("norm_first", [False, True], ids=["post", "pre"])
QUIET = pytest.mark.filterwarnings("ignore:enable_nested_tensor")  # of no concern here


def torch_model(norm_first: bool) -> nn.Transformer:
    theirs = nn.Transformer(
        D, 4, LAYERS, LAYERS, 40, dropout=0.0, activation="relu", batch_first=True,
        norm_first=norm_first,
    ).double()  # fmt: skip
    if not norm_first:  # The paper has no norm after the last layer; PyTorch adds one.
        theirs.encoder.norm = theirs.decoder.norm = None
    generator = torch.Generator().manual_seed(2)
    for weight in theirs.parameters():
        nn.init.normal_(weight, mean=float(weight.dim() == 1), std=0.3, generator=generator)
    return theirs.train()  # its fast path for inference is another implementation


def our_model(theirs: nn.Transformer, norm_first: bool, attend) -> EncoderDecoder:
    stack = DecoderConfig(
        vocab_size=VOCABULARY, context_length=16, d_model=D, n_layers=LAYERS, n_heads=4, d_ff=40,
        norm="layer_norm", feed_forward="relu", position="sinusoidal", bias=True,
        wiring=Wiring(placement="pre" if norm_first else "post", embedding_scale=D**0.5),
    )  # fmt: skip
    ours = EncoderDecoder(EncoderDecoderConfig(encoder=stack, decoder=stack), attend).double()
    state = ours.state_dict()
    for side, last in (("encoder", "norm2"), ("decoder", "norm3")):
        source = getattr(theirs, side).state_dict()
        names = {
            "attention.output": "self_attn.out_proj", "attention_norm": "norm1",
            "feed_forward_norm": last, "feed_forward.up": "linear1", "feed_forward.down": "linear2",
        }  # fmt: skip
        attentions = {"attention": "self_attn"}
        if side == "decoder":
            names |= {"cross_attention.output": "multihead_attn.out_proj",
                      "cross_attention_norm": "norm2"}  # fmt: skip
            attentions["cross_attention"] = "multihead_attn"
        for kind in ("weight", "bias"):
            if norm_first:
                state[f"{side}.final_norm.{kind}"] = source[f"norm.{kind}"]
            for i in range(LAYERS):
                for ours_name, name in names.items():
                    state[f"{side}.blocks.{i}.{ours_name}.{kind}"] = source[
                        f"layers.{i}.{name}.{kind}"
                    ]
                for ours_name, name in attentions.items():
                    thirds = source[f"layers.{i}.{name}.in_proj_{kind}"].chunk(3)
                    for part, third in zip(("query", "key", "value"), thirds, strict=True):
                        state[f"{side}.blocks.{i}.{ours_name}.{part}.{kind}"] = third
    ours.load_state_dict(state)
    return ours


@QUIET
@KERNELS
@PLACEMENTS
@pytest.mark.parametrize("padded", [False, True])
def test_logits_equal_torchs(attend, norm_first, padded):
    theirs = torch_model(norm_first)
    ours = our_model(theirs, norm_first, attend)

    def embed(tokens):
        table = ours.encoder.embedding.weight
        return table[tokens] * D**0.5 + sinusoidal_positions(torch.arange(tokens.shape[1]), D)

    options = {}
    if padded:
        options = {"src_key_padding_mask": SOURCE == 0, "tgt_key_padding_mask": TARGET == 0,
                   "memory_key_padding_mask": SOURCE == 0}  # fmt: skip
    hidden = theirs(embed(SOURCE), embed(TARGET), tgt_mask=~causal_mask(6), **options)
    expected = hidden @ ours.encoder.embedding.weight.T
    masks = (padding_mask(SOURCE, 0), causal_mask(6) & padding_mask(TARGET, 0)) if padded else ()
    torch.testing.assert_close(ours(SOURCE, TARGET, *masks), expected, atol=1e-10, rtol=1e-10)


@QUIET
@PLACEMENTS
def test_gradients_equal_torchs(norm_first):
    theirs = torch_model(norm_first)
    ours = our_model(theirs, norm_first, scaled_dot_product_attention)
    generator = torch.Generator().manual_seed(3)
    source, target = (torch.randn(2, t, D, generator=generator).double() for t in (9, 6))
    expected = torch.autograd.grad(
        theirs(source, target, tgt_mask=~causal_mask(6)).square().sum(),
        [theirs.encoder.layers[0].linear1.weight, theirs.decoder.layers[0].linear1.weight],
    )
    memory, x = source, target
    for block in ours.encoder.blocks:
        memory = block(memory)
    memory = ours.encoder.finish(memory)
    for block in ours.decoder.blocks:
        x = block(x, causal_mask(6), memory=memory)
    x = ours.decoder.finish(x)
    got = torch.autograd.grad(
        x.square().sum(),
        [model.blocks[0].feed_forward.up.weight for model in (ours.encoder, ours.decoder)],
    )
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-8)
