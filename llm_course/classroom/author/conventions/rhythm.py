"""One idea a cell: how long cells are, what stands between them, what they show."""

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from llm_course.classroom.author import colon_fences
from llm_course.classroom.author.conventions.chapter import Chapter, prose_lines, tree
from llm_course.classroom.cells import has_tag, is_solution, is_test
from llm_course.classroom.problems import Problem

# The conventions ask for 25 to 45 cells. How a text is cut into Markdown cells is the reader's
# tool's business, and the four cells of an exercise are one piece of work: so the upper limit
# counts steps, a code cell with the prose before it or an exercise; the lower one counts cells.
FEWEST_CELLS, MOST_STEPS = 25, 45
# 15 lines are the aim; beyond 25 the code belongs in the package. Tests are lists of cases.
MOST_CODE_LINES, MOST_TEST_LINES = 25, 40
# 20 to 80 words are the aim; a machine only refuses a lecture between two code cells.
MOST_WORDS = 120
SHOWING = frozenset({"print", "show", "card", "display", "glue", "predict"})
TAGS = {"predict": "a prediction", "break-it": "a planted bug"}


def cell_count(chapter: Chapter) -> Iterator[Problem]:
    """A notebook has neither too few cells nor too many steps."""
    steps = sum(not is_test(cell) for cell in chapter.code)
    if len(chapter.cells) < FEWEST_CELLS:
        yield chapter.problem(
            1, "cell-count", f"expected {FEWEST_CELLS} cells, got {len(chapter.cells)}."
        )
    if steps > MOST_STEPS:
        yield chapter.problem(
            1,
            "cell-count",
            f"expected at most {MOST_STEPS} steps (code cells that are no tests), got {steps}. "
            "Fix: merge ideas, or move code into the package.",
        )


def code_length(chapter: Chapter) -> Iterator[Problem]:
    """A cell's lines of code, without blank lines, comments and docstrings."""
    for cell in chapter.code:
        if has_tag(cell, "imports"):
            continue  # a list, however long, is one idea
        most = MOST_TEST_LINES if is_test(cell) else MOST_CODE_LINES
        if (lines := code_lines(cell.source)) > most:
            yield chapter.problem(
                cell,
                "code-length",
                f"expected at most {most} lines of code, got {lines}. "
                "Fix: split the cell, or move code into the package.",
            )


def prose_between(chapter: Chapter) -> Iterator[Problem]:
    """Code cells are apart from each other by some prose, and by not too much."""
    previous, words, between = None, 0, True
    for cell in chapter.cells:
        if cell.cell_type == "markdown":
            words += word_count(cell.source)
            between = True
            continue
        if not between and not _continues_exercise(previous, cell):
            yield chapter.problem(
                cell, "prose-between", "two code cells without prose between them. Fix: say why."
            )
        if previous is not None and words > MOST_WORDS:
            yield chapter.problem(
                cell,
                "prose-length",
                f"expected at most {MOST_WORDS} words before this cell, got {words}. "
                "Fix: shorten, or show something in between.",
            )
        previous, words, between = cell, 0, False


def shows_something(chapter: Chapter) -> Iterator[Problem]:
    """Every demonstration ends in a value, or prints, draws or records one."""
    for cell in chapter.code[2:]:  # after the parameters and the imports
        body = tree(cell)
        if is_solution(cell) or is_test(cell) or body is None:
            continue
        if not body.body or not (isinstance(body.body[-1], ast.Expr) or _calls(body) & SHOWING):
            yield chapter.problem(
                cell, "shows-something", "the cell shows nothing. Fix: end it with a value."
            )


def tagged_cells(chapter: Chapter) -> Iterator[Problem]:
    """At least one prediction and one planted bug."""
    for tag, what in TAGS.items():
        if not any(has_tag(cell, tag) for cell in chapter.code):
            yield chapter.problem(1, tag, f"expected {what}: a code cell with the tag {tag}.")


def code_lines(source: str) -> int:
    """Lines that are neither blank nor comment nor docstring.

    >>> code_lines("def f():\\n    'Two lines.'\\n\\n    # why\\n    return 1")
    2
    """
    skipped: set[int] = set()
    try:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                skipped.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    except SyntaxError:
        skipped = set()
    return sum(
        bool(text.strip()) and not text.lstrip().startswith("#") and number not in skipped
        for number, text in enumerate(source.split("\n"), start=1)
    )


def word_count(source: str) -> int:
    """Words of running prose: no headings, tables, targets, formulas or fences.

    >>> word_count("## Title\\nTwo words and $x + y$.\\n:::{note}\\nnot these\\n:::")
    3
    """
    running = "\n".join(node for node in colon_fences.parse(source) if isinstance(node, str))
    kept = [t for _, t in prose_lines(running) if not re.match(r"\s*(#|\||\([\w-]+\)=)", t)]
    text = re.sub(r"\$\$.*?\$\$(\s*\([\w-]+\))?|\$[^$]+\$", " ", "\n".join(kept), flags=re.DOTALL)
    return len(re.findall(r"\w[\w'’-]*", text))


def _continues_exercise(previous: NotebookNode, cell: NotebookNode) -> bool:
    """Whether `cell` is the test that follows a solution or another test."""
    return is_test(cell) and (is_solution(previous) or is_test(previous))


def _calls(body: ast.Module) -> set[str]:
    """The names of all functions called."""
    calls = [node.func for node in ast.walk(body) if isinstance(node, ast.Call)]
    return {f.id if isinstance(f, ast.Name) else getattr(f, "attr", "") for f in calls}
