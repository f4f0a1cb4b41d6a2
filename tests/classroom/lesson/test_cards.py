import html.parser

import nbformat
import numpy as np
import pytest

from llm_course.classroom.lesson.cards import MIME, card, collect, render_cards_page

FIELDS = {
    "claim": "Most heads can be pruned.",
    "source": "Michel et al. 2019, table 1",
    "protocol": "Each head removed once; 200 sentences.",
    "n": 200,
    "estimate": 0.1234567,
    "interval": (0.1, 0.15),
    "verdict": "reproduced",
    "id": "card-07-pruning",
}


def bundle(**changes):
    return card(**(FIELDS | changes))._repr_mimebundle_()


def executed(key, *pieces):
    """An executed notebook from Markdown texts and card bundles."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["llm_course"] = {"path": f"solutions/{key}.md"}
    for piece in pieces:
        if isinstance(piece, str):
            notebook.cells.append(nbformat.v4.new_markdown_cell(piece))
        else:
            output = nbformat.v4.new_output("execute_result", data=piece, execution_count=1)
            notebook.cells.append(nbformat.v4.new_code_cell("card(...)", outputs=[output]))
    return nbformat.from_dict(nbformat.reads(nbformat.writes(notebook), as_version=4))


class Structure(html.parser.HTMLParser):
    """Collects tags and text, and refuses tags that are closed in another order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_three_forms_that_say_the_same():
    forms = bundle()
    assert set(forms) == {"text/html", "text/plain", MIME}
    for form in ("text/html", "text/plain"):
        for said in ("Most heads can be pruned.", "0.1235", "0.1 to 0.15", "200", "reproduced"):
            assert said in forms[form], f"{form} leaves out {said}"
    assert forms[MIME]["interval"] == [0.1, 0.15]


def test_html_is_a_labelled_group():
    structure = Structure()
    structure.feed(bundle()["text/html"])
    assert structure.open == []
    tag, attributes = structure.tags[0]
    assert (tag, attributes["class"], attributes["role"]) == ("div", "claim-card", "group")
    labelled = {a.get("id"): t for t, a in structure.tags}
    assert labelled[attributes["aria-labelledby"]] == "p"


@pytest.mark.parametrize("name", ["claim", "source", "protocol", "estimate"])
def test_everything_is_escaped(name):
    attack = '</p><script>alert("x")</script>&amp;\n\n# heading'
    structure = Structure()
    structure.feed(bundle(**{name: attack})["text/html"])
    assert "script" not in {tag for tag, _ in structure.tags}
    assert any("&amp;" in text for text in structure.text), "what is written is what is read"
    assert "\n" not in bundle(**{name: attack})["text/html"], "a blank line would end the HTML"


@pytest.mark.parametrize("verdict", ["reproduced", "not reproduced", "depends"])
def test_each_verdict_is_said_in_words(verdict):
    forms = bundle(verdict=verdict)
    assert f"Verdict: <strong>{verdict}</strong>" in forms["text/html"]
    assert f"Verdict: {verdict}\n" in forms["text/plain"]


def test_verdicts_differ_in_nothing_but_the_word():
    def skeleton(verdict):
        slug = verdict.replace(" ", "-")
        return bundle(verdict=verdict)["text/html"].replace(verdict, "_").replace(slug, "_")

    assert skeleton("reproduced") == skeleton("not reproduced") == skeleton("depends")


def test_deterministic_claims_need_no_interval():
    forms = bundle(estimate=3, interval=None)
    assert "3 (deterministic, no interval)" in forms["text/plain"]
    assert forms[MIME]["interval"] is None


def test_numbers_of_other_libraries_are_taken():
    data = bundle(n=np.int64(5), estimate=np.float32(0.5), interval=np.array([0.0, 1.0]))
    assert (data[MIME]["n"], data[MIME]["estimate"], data[MIME]["interval"]) == (5, 0.5, [0.0, 1.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "proved"}, "verdict: expected one of 'reproduced', 'not reproduced'"),
        ({"verdict": "Reproduced"}, "got 'Reproduced'"),
        ({"id": "pruning"}, "id: expected the form card-07-heads-differ, got 'pruning'"),
        ({"id": 'card-07-a" onclick="x'}, "id: expected"),
        ({"claim": " "}, "claim: expected a sentence"),
        ({"source": ""}, "source: expected a sentence"),
        ({"protocol": ""}, "protocol: expected a sentence"),
        ({"n": 0}, "n: expected at least one observation, got 0"),
        ({"interval": (2.0, 1.0)}, r"interval: expected \(low, high\), got \(2.0, 1.0\)"),
        ({"interval": (0.0, float("nan"))}, "interval: expected"),
    ],
)
def test_a_field_of_another_form_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        card(**(FIELDS | change))


def test_collected_with_the_section_they_stand_in():
    notebook = executed(
        "07_attention/self_attention",
        "# Title\n\nText.\n\n(heads)=\n## Many heads",
        bundle(),
        "## A later\n\n### The last heading",
        bundle(id="card-07-second", interval=None),
    )
    first, second = collect([notebook])
    assert (first.notebook, first.section, first.label) == (
        "07_attention/self_attention",
        "Many heads",
        "heads",
    )
    assert (second.section, second.label) == ("The last heading", "")
    assert first.card == card(**FIELDS)


def test_one_id_twice_is_refused():
    notebooks = [executed("07_a/b", bundle()), executed("08_c/d", bundle())]
    with pytest.raises(ValueError, match=r"card-07-pruning.*07_a/b, 08_c/d"):
        collect(notebooks)


def test_page_groups_by_chapter_and_links():
    page = render_cards_page(
        collect(
            [
                executed("08_c/d", "## Norms", bundle(id="card-08-x", verdict="not reproduced")),
                executed("07_a/b", "(heads)=\n## Heads [*]", bundle()),
            ]
        )
    )
    assert page.index("## Chapter 7") < page.index("card-07-pruning") < page.index("## Chapter 8")
    assert r"[Heads \[\*\]](#heads)" in page
    assert "[Norms](/08_c/d)" in page
    assert "Claims tested: 2 (1 reproduced, 1 not reproduced, 0 depends)." in page


def test_page_without_cards_says_so():
    page = render_cards_page([])
    assert page.startswith("# Reproduction cards\n")
    assert "No chapter has tested a claim yet." in page
