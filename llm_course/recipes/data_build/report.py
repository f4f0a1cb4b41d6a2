"""What a build tells: one JSON report, and a figure of what each stage let through.

The report names documents and never quotes them: it may be published. It holds no time and no
path, so the same build writes the same bytes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llm_course.data.stages import StageReport, merged
from llm_course.figures.flow import FlowStage, draw_flow
from llm_course.figures.show import ShownFigure, show
from llm_course.figures.style import use_style
from llm_course.recipes.data_build.recipe import Recipe

COUNTS = "n_in", "n_out", "bytes_in", "bytes_out"


def as_report(told: Mapping[str, Any]) -> StageReport:
    """A stage's report from its plain values.

    >>> as_report(StageReport(name="a", n_in=2, removed=Counter(b=1)).as_dict()).removed["b"]
    1
    """
    return StageReport(
        name=told["name"],
        removed=Counter(told["removed"]),
        edits=Counter(told["edits"]),
        examples={reason: list(ids) for reason, ids in told["examples"].items()},
        **{key: told[key] for key in COUNTS},
    )


def merge_reports(pieces: Iterable[Sequence[Mapping[str, Any]]]) -> dict[str, StageReport]:
    """The reports of all pieces, stage by stage, in the order in which the pieces come."""
    whole: dict[str, StageReport] = {}
    for reports in pieces:
        for told in reports:
            report = as_report(told)
            name = report.name
            whole[name] = merged(whole[name], report) if name in whole else report
    return whole


def build_report(
    recipe: Recipe,
    fingerprint: str,
    corpora: Mapping[str, Mapping[str, Any]],
    pieces: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]],
    mixture: Mapping[str, Any],
    shards: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The report of a build, as plain values.

    Args:
        recipe: what was built.
        fingerprint: what the result depends on.
        corpora: for each corpus the record of its reading.
        pieces: for each corpus, for each of its pieces, the reports of its stages.
        mixture: for each corpus, what of it is in the mixture.
        shards: the entries of the result.
    """
    names = [f"{number} {entry.use}" for number, entry in enumerate(recipe.stages, start=1)]
    by_corpus = {name: merge_reports(reports) for name, reports in pieces.items()}
    whole = merge_reports(
        [report.as_dict() for report in reports.values()] for reports in by_corpus.values()
    )
    return {
        "recipe": recipe.table,
        "fingerprint": fingerprint,
        "unit": "bytes" if recipe.tokenizer is None else "tokens",
        "corpora": {
            name: {
                **{key: told[key] for key in ("domain", "language", "licence", "read_from")},
                "n_documents": sum(piece["n_documents"] for piece in told["pieces"]),
                "n_bytes": sum(piece["n_bytes"] for piece in told["pieces"]),
            }
            for name, told in corpora.items()
        },
        "stages": [whole[name].as_dict() for name in names if name in whole],
        "stages_by_corpus": {
            corpus: [reports[name].as_dict() for name in names if name in reports]
            for corpus, reports in by_corpus.items()
        },
        "mixture": mixture,
        "result": {
            "shards": len(shards),
            "n_documents": sum(shard["n_documents"] for shard in shards),
            "size": sum(shard.get("n_tokens", shard.get("n_bytes", 0)) for shard in shards),
        },
    }


def flow_figure(report: Mapping[str, Any]) -> ShownFigure:
    """The figure of a report: bytes of text, stage by stage.

    A stage that does not see every corpus is drawn against all that is there at its turn.
    """
    use_style()
    there = read = sum(corpus["n_bytes"] for corpus in report["corpora"].values())
    flow = []
    for told in report["stages"]:
        after = there - max(told["bytes_in"] - told["bytes_out"], 0)
        reasons = {**told["removed"], **told["edits"]}
        name = told["name"].split(" ", 1)[1].replace("_", "\n")
        flow.append(FlowStage(name=name, before=there, after=after, removed=reasons))
        there = after
    if not flow:
        flow = [FlowStage(name="read", before=read, after=read, removed={})]
    largest = max(flow, key=lambda stage: stage.before - stage.after)
    cost = largest.name.replace("\n", " ")
    alt = (
        f"Of {read / 1e6:.2f} MB of text that were read, {there / 1e6:.2f} MB ({there / read:.0%}) "
        f"went through all {len(report['stages'])} stages; {cost} removed most, "
        f"{(largest.before - largest.after) / 1e6:.2f} MB."
    )
    return show(draw_flow(flow, "bytes"), alt=alt, name="fig-data-flow")
