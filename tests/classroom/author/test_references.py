"""The bibliography as links need it."""

from pathlib import Path

import pytest

from llm_course.classroom.author.references import Reference, citation_keys, load_references
from llm_course.errors import CourseError


def test_authors_year_and_address(sample_course: Path) -> None:
    found = load_references(sample_course)
    assert found["pearson1895"] == Reference(
        "Pearson", "1895", "https://doi.org/10.1098/rsta.1895.0010"
    )
    assert found["knuth1974"] == Reference("Knuth et al.", "1974", "https://example.org/knuth1974")


def test_names_from_bibtex(sample_course: Path) -> None:
    (sample_course / "book" / "references.bib").write_text(
        "@misc{two, author={van den Oord, A. and {OpenAI}}, year={2016}, eprint={1609.03499}}\n"
        "@misc{none, title={{A} Report}}\n",
        encoding="utf-8",
    )
    found = load_references(sample_course)
    assert found["two"] == Reference(
        "van den Oord and OpenAI", "2016", "https://arxiv.org/abs/1609.03499"
    )
    assert found["none"] == Reference("A Report", "n.d.", "")


@pytest.mark.parametrize("text", [None, "@article{unclosed,"])
def test_a_missing_or_broken_bibliography_is_an_error(
    sample_course: Path, text: str | None
) -> None:
    path = sample_course / "book" / "references.bib"
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(CourseError, match="references.bib: expected a BibTeX file"):
        load_references(sample_course)


def test_keys_of_both_roles() -> None:
    assert citation_keys("{cite:p}`a,  b` {ref}`c` {cite:t}`d`") == ["a", "b", "d"]
