"""All rules together."""

import ast
import inspect

from llm_course.classroom.author.conventions import rules
from llm_course.classroom.author.conventions.chapter import Chapter


def test_the_sample_keeps_them_all(chapter: Chapter) -> None:
    assert rules.problems(chapter) == []


def test_no_rule_is_forgotten() -> None:
    """Every public function of a rules module that takes only a chapter is in the list."""
    modules = {inspect.getmodule(rule) for rule in rules.RULES}
    for module in modules:
        source = ast.parse(inspect.getsource(module))
        public = {
            node.name
            for node in source.body
            if isinstance(node, ast.FunctionDef)
            and not node.name.startswith("_")
            and [argument.arg for argument in node.args.args] == ["chapter"]
            and ast.unparse(node.returns or ast.Constant(None)) == "Iterator[Problem]"
        }
        listed = {rule.__name__ for rule in rules.RULES if inspect.getmodule(rule) is module}
        assert public == listed, module.__name__


def test_an_empty_notebook_breaks_rules_but_no_check(chapter: Chapter) -> None:
    empty = Chapter(chapter.root, chapter.notebook, ())
    found = rules.problems(empty)
    assert {"cell-count", "title", "opening", "parameters", "ending"} <= {p.rule for p in found}
    assert found == sorted(found)
