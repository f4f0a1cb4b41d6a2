"""The kinds of stages that a recipe may name, with their options.

A local stage judges the documents of a job without knowing any other. A global one compares with
the whole corpus, in three parts (``global_stages``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llm_course.data.cleaning.c4 import c4_lines, c4_pages
from llm_course.data.cleaning.gopher import GOPHER_QUALITY
from llm_course.data.cleaning.repetition import GOPHER_REPETITION
from llm_course.data.cleaning.rules import Rule, rule_filter
from llm_course.data.privacy.rules import privacy_rules
from llm_course.data.privacy.scrub import drop_personal_data, scrub_personal_data
from llm_course.data.stages import Stage
from llm_course.errors import CourseError
from llm_course.recipes.data_build.global_stages import (
    GlobalStage,
    exact_texts,
    near_texts,
    repeated_lines,
)
from llm_course.recipes.data_build.learnt_stages import language, perplexity, quality_classifier
from llm_course.recipes.fields import Fields

Make = Callable[[Fields], Stage | GlobalStage]


@dataclass(frozen=True, kw_only=True)
class StageKind:
    """One kind of stage.

    Args:
        make: takes its options and gives the stage.
        summary: what it does, for a person.
    """

    make: Make
    summary: str


def _rules(rules: Mapping[str, Rule]) -> Make:
    """Rules of which a recipe may leave some out."""

    def make(fields: Fields) -> Stage:
        without = fields.take_list("without", str, ())
        unknown = sorted(set(without) - set(rules))
        if unknown:
            raise fields.error("without", f"rules of {', '.join(rules)}", unknown[0])
        return rule_filter({name: rule for name, rule in rules.items() if name not in without})

    return make


def _c4_pages(fields: Fields) -> Stage:
    return _rules(c4_pages(fields.take_list("blocked_words", str, ())))(fields)


def _privacy(fields: Fields) -> Stage:
    """Personal data of the kinds that the recipe names (all if none), replaced or dropped."""
    rules = privacy_rules()
    kinds = fields.take_list("kinds", str, tuple(rules))
    for kind in kinds:
        if kind not in rules:
            raise fields.error("kinds", f"kinds of {', '.join(rules)}", kind)
    chosen = {kind: rule for kind, rule in rules.items() if kind in kinds}
    if fields.take("action", str, "replace", choices=("replace", "drop")) == "replace":
        return scrub_personal_data(chosen)
    return drop_personal_data(chosen, most=fields.take("most", int, 0, least=0))


STAGE_KINDS: dict[str, StageKind] = {
    "gopher_quality": StageKind(
        make=_rules(GOPHER_QUALITY), summary="removes what breaks Gopher's rules of quality"
    ),
    "gopher_repetition": StageKind(
        make=_rules(GOPHER_REPETITION), summary="removes what repeats itself, by Gopher's rules"
    ),
    "c4_lines": StageKind(make=lambda fields: c4_lines(), summary="cuts lines by C4's rules"),
    "c4_pages": StageKind(make=_c4_pages, summary="removes pages by C4's rules"),
    "language": StageKind(make=language, summary="keeps the languages that it names"),
    "perplexity": StageKind(
        make=perplexity, summary="removes what a model of a reference finds too surprising"
    ),
    "quality_classifier": StageKind(
        make=quality_classifier, summary="removes what a classifier takes for spoiled text"
    ),
    "privacy": StageKind(make=_privacy, summary="replaces personal data, or drops what holds it"),
    "exact_duplicates": StageKind(make=exact_texts, summary="removes a text that came before"),
    "duplicate_lines": StageKind(make=repeated_lines, summary="cuts a line that came before"),
    "near_duplicates": StageKind(
        make=near_texts, summary="removes a text that resembles one that came before"
    ),
}


def make_stage(use: str, options: Mapping[str, Any], where: str) -> Stage | GlobalStage:
    """The stage of a kind, with its options.

    Raises:
        CourseError: the kind or an option is unknown, or an option has no fitting value.
    """
    if use not in STAGE_KINDS:
        raise CourseError(
            f"{where}: use: expected one of {', '.join(STAGE_KINDS)}, got {use!r}. "
            "Fix: choose one of them"
        )
    fields = Fields(options, where)
    try:
        stage = STAGE_KINDS[use].make(fields)
    except ValueError as error:
        raise CourseError(f"{where}: {error}") from error
    fields.finish()
    return stage


def check_stage(use: str, options: Mapping[str, Any], where: str) -> None:
    """Refuse a stage that cannot be made; see ``make_stage``."""
    make_stage(use, options, where)
