import re
from pathlib import Path

import jinja2
import pytest

from llm_course.classroom.grade.outputs import html_page

TEMPLATES = Path(html_page.__file__).parent / "templates"


def test_values_are_escaped_and_missing_ones_are_errors():
    environment = html_page._environment()
    made = environment.from_string("<p title='{{ x }}'>{{ x }}</p>").render(x="<'\"&>")
    assert made == "<p title='&lt;&#39;&#34;&amp;&gt;'>&lt;&#39;&#34;&amp;&gt;</p>"
    with pytest.raises(jinja2.UndefinedError):
        html_page.render("items.html.j2")


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.j2")), ids=lambda path: path.name)
def test_no_template_turns_escaping_off(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe|autoescape|Markup|<script|\son\w+=|javascript:", text)
    assert text.count("{{") == text.count("}}")


def test_the_style_loads_nothing():
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|expression|</style", style)
    assert style.count("{") == style.count("}")
    assert "@media (prefers-color-scheme: dark)" in style
