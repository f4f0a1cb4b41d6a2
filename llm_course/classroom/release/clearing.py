"""nbgrader's clearing of solutions and hidden tests, with the course's own words.

nbgrader does the clearing. These two steps of its chain only choose what is left: a stub that
names its exercise, and a line in place of an empty cell.
"""

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from llm_course.classroom.cells import grade_id
from llm_course.classroom.release.stubs import HIDDEN_NOTICE, stub_line


class LabelledStubs(ClearSolutions):
    """nbgrader's clearing of solutions, with a stub that names the exercise."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Clear one cell."""
        self.code_stub = {**self.code_stub, "python": stub_line(grade_id(cell))}
        return super().preprocess_cell(cell, resources, cell_index)


class NoticedHiddenTests(ClearHiddenTests):
    """nbgrader's clearing of hidden tests; a cell that it empties says what will stand there."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Clear one cell."""
        before = cell.source.strip()
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if before and not cell.source.strip():
            cell.source = HIDDEN_NOTICE
        return cell, resources
