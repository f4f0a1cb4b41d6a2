from pathlib import Path

import pytest

from llm_course.classroom.book.api_pages import INDEX, modules, pages
from llm_course.classroom.course import find_root

PACKAGE = find_root(Path(__file__).parent) / "llm_course"


@pytest.fixture
def package(tmp_path):
    """A package with a module at the top, one in a sub-package, and one deeper."""
    for name in ("__init__", "errors", "model/__init__", "model/norms", "a/__init__", "a/b/c"):
        path = tmp_path / "pkg" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""About {name}.\n\nMore of it."""\n')
    return tmp_path / "pkg"


def test_modules_are_grouped_by_sub_package(package):
    assert modules(package) == {
        "pkg": ["pkg.errors"],
        "pkg.model": ["pkg.model.norms"],
        "pkg.a": ["pkg.a.b.c"],
    }


def test_each_group_has_a_page_and_a_line_in_the_index(package):
    made = pages(package)
    assert set(made) == {INDEX, *(f"api/modules/{n}.rst" for n in ("pkg", "pkg.model", "pkg.a"))}
    assert "{doc}`pkg.model <modules/pkg.model>` | About model/__init__." in made[INDEX]
    assert "\nb.c\n---\n\n.. automodule:: pkg.a.b.c\n" in made["api/modules/pkg.a.rst"]


def test_no_module_of_the_course_is_left_out():
    named = "\n".join(pages(PACKAGE).values())
    for path in PACKAGE.rglob("*.py"):
        if path.name != "__init__.py":
            dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            assert f".. automodule:: {dotted}\n" in named, f"{dotted} is on no page"
