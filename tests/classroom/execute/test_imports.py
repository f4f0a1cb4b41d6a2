from pathlib import Path

import pytest

from llm_course.classroom.execute.imports import imported_files


@pytest.fixture
def package(tmp_path):
    """A package whose modules import each other in every way that Python has."""
    files = {
        "__init__.py": "",
        "errors.py": "",
        "model/__init__.py": '"""Says llm_course.lonely, which only prose does."""',
        "model/masks.py": "from ..errors import CourseError",
        "model/attention.py": "from llm_course.model import masks\nfrom .norms import rms_norm",
        "model/norms.py": "import llm_course.errors",
        "figures/__init__.py": "",
        "figures/style.py": "",
        "figures/course.mplstyle": "lines.linewidth: 2",
        "figures/fonts/sans.txt": "font",
        "lonely.py": "",
        "circle_a.py": "from llm_course import circle_b",
        "circle_b.py": "from llm_course import circle_a",
    }
    for name, text in files.items():
        path = tmp_path / "llm_course" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def names(sources: list[str], root: Path) -> set[str]:
    return {p.relative_to(root / "llm_course").as_posix() for p in imported_files(sources, root)}


MODEL = {"__init__.py", "model/__init__.py"}


def test_follows_imports_through_modules_absolute_and_relative(package):
    found = names(["from llm_course.model.attention import attention_weights"], package)
    expected = {"model/attention.py", "model/masks.py", "model/norms.py", "errors.py"}
    assert found == MODEL | expected


@pytest.mark.parametrize(
    "cell",
    [
        "from llm_course.model import masks",
        "import llm_course.model.masks",
        "import llm_course.model.masks as m",
        "def f():\n    from llm_course.model.masks import causal_mask",
        "%matplotlib inline\nfrom llm_course.model import masks",
        "!ls\nfrom llm_course.model import masks",
        "import importlib\nimportlib.import_module('llm_course.model.masks')",
        "command = ['python', '-m', 'llm_course.model.masks']",
    ],
)
def test_every_way_to_import_a_module(package, cell):
    assert names([cell], package) == MODEL | {"model/masks.py", "errors.py"}


def test_a_symbol_is_not_taken_for_a_module(package):
    assert names(["from llm_course.errors import CourseError"], package) == {
        "__init__.py",
        "errors.py",
    }


def test_data_files_beside_a_module_belong_to_it(package):
    (package / "llm_course" / "figures" / "__pycache__").mkdir()
    (package / "llm_course" / "figures" / "__pycache__" / "style.pyc").write_text("")
    found = names(["from llm_course.figures.style import BLUE"], package)
    assert found == {
        "__init__.py",
        "figures/__init__.py",
        "figures/style.py",
        "figures/course.mplstyle",
        "figures/fonts/sans.txt",
    }


def test_a_circle_ends(package):
    assert names(["import llm_course.circle_a"], package) == {
        "__init__.py",
        "circle_a.py",
        "circle_b.py",
    }


def test_other_packages_do_not_count(package):
    assert (
        names(["import torch", "from pathlib import Path", "x = 'llm_courses.model'"], package)
        == set()
    )


def test_a_cell_that_cannot_be_parsed_counts_as_importing_everything(package):
    everything = {
        p.relative_to(package / "llm_course").as_posix()
        for p in (package / "llm_course").rglob("*")
        if p.is_file()
    }
    assert names(["average = = 1"], package) == everything
