import nbformat
import pytest
import yaml

from llm_course.classroom.author import chapter_text
from llm_course.classroom.book import stage
from llm_course.classroom.course import Notebook, notebooks
from llm_course.errors import CourseError
from llm_course.files import atomic_write

TOC = {
    "format": "jb-book",
    "root": "intro",
    "parts": [
        {"caption": "Chapters", "chapters": [{"file": "07_sample/counting"}]},
        {"caption": "Rest", "chapters": [{"file": "api/index", "sections": [{"glob": "api/m/*"}]}]},
    ],
}


@pytest.fixture
def course(sample_course):
    """The sample course with a table of contents and an address for its book."""
    (sample_course / "book" / "_toc.yml").write_text(yaml.safe_dump(TOC))
    (sample_course / "_config.yml").write_text("title: Sample\nhtml: {favicon: a.svg}\n")
    return sample_course


def staged_pages():
    return {"intro.md", "07_sample/counting.ipynb", "api/index.md"}


def test_the_contents_are_taken_over_when_every_page_is_there(course):
    assert yaml.safe_load(stage.table_of_contents(course, staged_pages())) == TOC


def test_a_page_that_is_missing_is_named(course):
    with pytest.raises(CourseError, match="names pages that do not exist: intro"):
        stage.table_of_contents(course, staged_pages() - {"intro.md"})


def test_a_notebook_outside_the_contents_is_named(course):
    other = course / "solutions" / "08_other" / "more.md"
    atomic_write(other, "# More\n")
    with pytest.raises(CourseError, match="leaves out notebooks: 08_other/more"):
        stage.table_of_contents(course, staged_pages() | {"08_other/more.ipynb"})


def test_a_partial_book_leaves_out_the_chapters_that_were_not_chosen(course):
    pages = staged_pages() - {"07_sample/counting.ipynb"}
    toc = yaml.safe_load(stage.table_of_contents(course, pages, partial=True))
    assert [part["caption"] for part in toc["parts"]] == ["Rest"]


def test_the_configuration_is_unchanged_without_an_address(course, monkeypatch):
    monkeypatch.delenv("LLM_COURSE_REPOSITORY", raising=False)
    assert stage.config(course) == (course / "_config.yml").read_text()


def test_the_published_book_opens_the_students_notebooks(course, monkeypatch):
    monkeypatch.setenv("LLM_COURSE_REPOSITORY", "https://github.com/somebody/llm-course")
    settings = yaml.safe_load(stage.config(course))
    assert settings["repository"] == {
        "url": "https://github.com/somebody/llm-course",
        "branch": "main",
        "path_to_book": "notebooks",
    }
    assert "colab_url" not in settings["launch_buttons"], "a release has no cell that installs"
    assert settings["html"]["favicon"] == "a.svg", "other settings stay"


def test_a_chapter_that_was_not_executed_is_named_with_the_command(course):
    with pytest.raises(
        CourseError, match=r"07_sample/counting: expected its execution .* SCALE=gpu"
    ):
        stage.content(course, scale="gpu", edition="reader")


@pytest.fixture
def whole_course(course, monkeypatch):
    """A course whose one chapter was executed and released, and whose generated pages are short."""
    [notebook] = notebooks(course)
    atomic_write(
        course / "build" / "executed" / "cpu" / "07_sample" / "counting.ipynb",
        chapter_text.dumps(chapter_text.read(notebook)),
    )
    atomic_write(course / "notebooks" / "07_sample" / "counting.ipynb", '{"release": true}')
    atomic_write(course / "book" / "intro.md", "# Sample\n\nSee [[07_sample]] and [[12_peft]].\n")
    atomic_write(course / "book" / "_static" / "a.css", "b {}")
    atomic_write(course / "book" / "_static" / "README.md", "not for the book")
    monkeypatch.setattr(
        stage, "_generated", lambda root, executed, edition: {"api/index.md": "# API\n"}
    )
    return course


def test_the_stage_holds_pages_chapters_downloads_and_static_files(whole_course):
    staged = stage.content(whole_course, scale="cpu", edition="reader")
    assert set(staged) == {
        "_config.yml",
        "_toc.yml",
        "07_sample/counting.ipynb",
        "api/index.md",
        "downloads/07_sample/counting.ipynb",
        "intro.md",
        "references.bib",
        "static/a.css",
    }
    assert b"See [chapter 7](07_sample/counting) and chapter 12 (to come)." in staged["intro.md"]


def test_a_chapter_links_to_its_students_notebook_below_the_title(whole_course):
    staged = stage.content(whole_course, scale="cpu", edition="reader")
    chapter = nbformat.reads(staged["07_sample/counting.ipynb"].decode(), as_version=4)
    assert "# Counting" in chapter.cells[0].source
    assert "</downloads/07_sample/counting.ipynb>" in chapter.cells[1].source
    assert "BEGIN SOLUTION" not in staged["07_sample/counting.ipynb"].decode()


def test_the_same_course_gives_the_same_bytes(whole_course):
    first = stage.content(whole_course, scale="cpu", edition="instructor")
    assert stage.content(whole_course, scale="cpu", edition="instructor") == first


def test_chapter_links_keep_what_is_no_link(tmp_path):
    there = [Notebook("07_attention", "self_attention", tmp_path)]
    text = "a[[0]] and [[note]] stay"
    assert stage.resolve_chapter_links(text, there) == text
