from sphinx.ext.napoleon import Config, GoogleDocstring

from llm_course.classroom.book.docstrings import setup


class FakeSphinx:
    """Remembers what was asked of it."""

    def __init__(self):
        self.loaded = []

    def setup_extension(self, name):
        self.loaded.append(name)


def rendered(text):
    return str(GoogleDocstring(text, Config(), what="property", name="x.y", obj=None))


def test_a_sentence_with_a_colon_is_not_a_type(monkeypatch):
    original = GoogleDocstring._parse_attribute_docstring
    monkeypatch.setattr(GoogleDocstring, "_parse_attribute_docstring", original)
    sentence = "Features of one head: a whole number."
    assert ":type: Features of one head" in rendered(sentence), "what is corrected is gone"
    sphinx = FakeSphinx()
    setup(sphinx)
    assert sphinx.loaded == ["sphinx.ext.napoleon"]
    assert rendered(sentence).strip() == sentence
