import html
import re

import pytest

from llm_course.classroom.grade.outputs.highlight import highlighted

CODE = '''@decorator
def mean(values: list[float]) -> float:
    """The <b>mean</b>."""
    return sum(values) / len(values) if values and 1 else 0.5  # a & b
'''


def test_kinds_of_tokens_have_their_class():
    page = highlighted(CODE)
    for name, text in [
        ("k", "def"),
        ("f", "mean"),
        ("m", "1"),
        ("m", "0.5"),
        ("f", "@decorator"),
        ("c", "# a &amp; b"),
        ("k", "return"),
    ]:
        assert f'<span class="{name}">{text}</span>' in page


@pytest.mark.parametrize(
    "code",
    [CODE, "", "not python at all ¿?", "'never closed", "</code></pre><script>", "\t\n x\n", "}{"],
)
def test_the_text_is_the_code(code):
    page = highlighted(code)
    assert html.unescape(re.sub(r"</?span[^>]*>", "", page)) == code


@pytest.mark.parametrize("code", ["<script>", "'<img src=x onerror=y>'", "# </span><b>", '"&lt;"'])
def test_nothing_but_its_own_tags(code):
    tags = re.findall(r"<[^>]*>", highlighted(code))
    assert all(re.fullmatch(r'</span>|<span class="[a-z]">', tag) for tag in tags)
