"""All rules, in the order in which a reader meets what they are about."""

from collections.abc import Callable, Iterable

from llm_course.classroom.author.conventions import (
    code_style,
    ending,
    figures,
    grading,
    load,
    markdown,
    opening,
    rhythm,
    statements,
    wrong_answers,
)
from llm_course.classroom.author.conventions.chapter import Chapter
from llm_course.classroom.problems import Problem

Rule = Callable[[Chapter], Iterable[Problem]]

RULES: tuple[Rule, ...] = (
    opening.front_matter,
    opening.first_cell,
    opening.parameters,
    opening.imports,
    rhythm.cell_count,
    rhythm.code_length,
    rhythm.prose_between,
    rhythm.shows_something,
    rhythm.tagged_cells,
    markdown.constructs,
    markdown.citations,
    markdown.images,
    figures.alt_texts,
    figures.names,
    grading.metadata,
    grading.unique_ids,
    grading.solution_cells,
    grading.test_cells,
    grading.tolerances,
    statements.parts,
    statements.facts,
    load.counts,
    load.minutes,
    wrong_answers.catalogue,
    ending.sections,
    code_style.ruff,
)


def problems(chapter: Chapter) -> list[Problem]:
    """What every rule says about `chapter`, in the order of its lines."""
    return sorted(problem for rule in RULES for problem in rule(chapter))
