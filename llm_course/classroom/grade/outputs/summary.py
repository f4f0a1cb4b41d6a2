"""The table that an instructor sees in the terminal when a class has been graded.

Students are rows and chapters columns. A terminal that is too narrow for all chapters gets
several tables: numbers are never wrapped or cut.
"""

from collections.abc import Sequence
from statistics import mean

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from llm_course.classroom.grade.outputs.plain_text import number, one_line
from llm_course.classroom.grade.records.class_grades import ClassGrades

WIDEST_NAME, NARROWEST_NAME = 28, 12
MISSING, REGRADE = "–", "again"
LEGEND = f"{MISSING} nothing handed in, {REGRADE} the grader failed: grade it again"

# What rich adds to a column: a space before and after, and the rule after it.
_AROUND = 3

Column = list[str]  # heading, points to be had, one cell a student, the class's mean


def summary(grades: ClassGrades, width: int) -> RenderableType:
    """The table, or several below each other, none wider than `width` characters.

    >>> from rich.console import Console
    >>> Console(width=60).print(summary(ClassGrades([]), 60))
    No submissions were graded.
    """
    if not grades.students:
        return Text("No submissions were graded.")
    columns = [_chapter(grades, chapter) for chapter in grades.chapters]
    columns += [_totals(grades), _faults(grades)]
    names = ["Student", "of", *(_named(grades, s) for s in grades.students), "class mean"]
    widest = _name_width(names, columns, width)
    tables = [_table(names, block, widest) for block in _blocks(columns, width - widest - 2)]
    marks = {cell for column in columns for cell in column} & {MISSING, REGRADE}
    return Group(*tables, *([Text(LEGEND, style="dim")] if marks else []))


def _name_width(names: Sequence[str], columns: Sequence[Column], width: int) -> int:
    """As wide as names need, but not so wide that it takes one table more."""
    longest = min(WIDEST_NAME, max(map(_cells, names)))
    longest = max(min(longest, width - max(map(_size, columns)) - _AROUND - 2), 1)
    choices = range(longest, min(longest, NARROWEST_NAME) - 1, -1)
    return min(choices, key=lambda size: (len(_blocks(columns, width - size - 2)), -size))


def _blocks(columns: Sequence[Column], room: int) -> list[list[Column]]:
    """As many columns beside each other as there is room for."""
    blocks: list[list[Column]] = [[]]
    left = room
    for column in columns:
        needed = _size(column) + _AROUND
        if blocks[-1] and needed > left:
            blocks.append([])
            left = room
        blocks[-1].append(column)
        left -= needed
    return blocks


def _table(names: Sequence[str], columns: Sequence[Column], widest: int) -> Table:
    """One table: the students and some columns."""
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False, padding=(0, 1))
    heading, footing = Text(f"{names[0]}\n{names[1]}"), Text(names[-1])
    table.add_column(heading, footing, max_width=widest, no_wrap=True, overflow="ellipsis")
    for column in columns:
        table.add_column(
            Text(f"{column[0]}\n{column[1]}"),
            Text(column[-1]),
            justify="right",
            no_wrap=True,
            min_width=_size(column),
        )
    for row in zip(names[2:-1], *(column[2:-1] for column in columns), strict=True):
        table.add_row(*map(Text, row))
    return table


def _chapter(grades: ClassGrades, chapter: str) -> Column:
    """The column of a chapter, headed by its number where that is enough to tell it apart."""
    short = chapter.split("_")[0]
    twins = [other for other in grades.chapters if other.split("_")[0] == short]
    heading = one_line(short if len(twins) == 1 else chapter, 24)
    cells, reached = [], []
    for student in grades.students:
        total = grades.totals.get((student, chapter))
        cells.append(
            MISSING if total is None else REGRADE if total.to_regrade else number(total.points)
        )
        if total is not None and not total.to_regrade:
            reached.append(total.points)
    return [heading, number(grades.max_points[chapter]), *cells, _mean(reached)]


def _totals(grades: ClassGrades) -> Column:
    """The column of sums; the mean is that of the students whose sum is final."""
    cells, reached = [], []
    for student in grades.students:
        totals = grades.of(student)
        points = sum(total.points for total in totals)
        final = bool(totals) and not any(total.to_regrade for total in totals)
        cells.append(number(points) if final else REGRADE if totals else MISSING)
        reached += [points] if final else []
    return ["total", number(sum(grades.max_points.values())), *cells, _mean(reached)]


def _faults(grades: ClassGrades) -> Column:
    """The column of faults."""
    found = {s: [total.faults for total in grades.of(s)] for s in grades.students}
    counts = {s: sum(faults) for s, faults in found.items() if faults}
    cells = [str(counts[s]) if s in counts else MISSING for s in grades.students]
    return ["faults", "", *cells, _mean(list(counts.values()))]


def _mean(points: Sequence[float]) -> str:
    """The mean, when there is one."""
    return number(mean(points)) if points else MISSING


def _named(grades: ClassGrades, student: str) -> str:
    """A student's name for the first column."""
    return one_line(grades.name(student), 80) or "(no name)"


def _size(column: Column) -> int:
    """The width of a column."""
    return max(map(_cells, column))


def _cells(text: str) -> int:
    """How many terminal cells a text takes."""
    return Text(text).cell_len
