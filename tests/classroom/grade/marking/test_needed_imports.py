"""Set-up without what nobody uses."""

import pytest

from llm_course.classroom.grade.marking.needed_imports import needed

SETUP = [
    "SCALE = 'cpu'\nSEED = 0",
    "import math\n"
    "import torch\n"
    "import torch.nn.functional as F\n"
    "from matplotlib import pyplot as plt\n"
    "from transformers import AutoModel, AutoTokenizer\n"
    "from llm_course.figures.style import use_style\n"
    "from llm_course.classroom.lesson.predictions import Predictions\n"
    "from llm_course.model import attention\n"
    "use_style()\n"
    "guesses = Predictions()\n"
    "torch.set_default_dtype(torch.float32)\n"
    "print(torch.__version__)",
]


def test_unused_imports_and_what_serves_the_page_go():
    parameters, imports = needed(SETUP, ["F.relu(attention.x)"])
    assert parameters == "SCALE = 'cpu'\nSEED = 0"
    assert imports.splitlines() == [
        "import torch",
        "import torch.nn.functional as F",
        "from llm_course.model import attention",
        "torch.set_default_dtype(torch.float32)",
    ]


def test_a_statement_that_may_matter_keeps_its_imports():
    assert "import torch\n" in needed(SETUP, ["1"])[1]


def test_only_the_used_names_of_an_import_stay():
    assert "from transformers import AutoModel\n" in needed(SETUP, ["AutoModel.x"])[1]


@pytest.mark.parametrize("users", [["eval('AutoModel')"], ["globals()"], ["def f(:"], ["\0"]])
def test_what_can_reach_more_gets_everything(users):
    _, imports = needed(SETUP, users)
    assert "AutoModel, AutoTokenizer" in imports and "import math" in imports
    assert "matplotlib" not in imports


def test_star_imports_stay():
    assert needed(["from math import *"], ["sqrt(2)"]) == ["from math import *"]
