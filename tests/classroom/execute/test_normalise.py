import nbformat
import pytest

from llm_course.classroom.execute.normalise import WIDGET, normalise, substituted

VALUES = {"SCALE": "gpu", "DEVICE": "cuda", "SEED": 7}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('SCALE = "cpu"', 'SCALE = "gpu"'),
        ("SCALE = 'cpu'", "SCALE = 'gpu'"),
        ('SCALE: str = "cpu"  # cpu or gpu', 'SCALE: str = "gpu"  # cpu or gpu'),
        ("SEED = 0; DEVICE = 'cpu'", "SEED = 7; DEVICE = 'cuda'"),
        ('é = "é"; SCALE = "cpu"', 'é = "é"; SCALE = "gpu"'),
        ("OTHER = 0\nSEED = 0\n", "OTHER = 0\nSEED = 7\n"),
        ("SEED += 1", "SEED += 1"),
        ("def f():\n    SEED = 0", "def f():\n    SEED = 0"),
    ],
)
def test_parameters_cell_shows_the_values_of_the_run(source, expected):
    assert substituted(source, VALUES) == expected


def executed(start):
    """What papermill returns, at a given moment."""
    code, markdown = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    times = {"papermill": {"start_time": start, "status": "completed"}}
    result = nbformat.v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=3)
    cells = [
        markdown("# Title", id="title", metadata={"tags": [], **times}),
        code("SEED = 0", id="p", execution_count=1, metadata={"tags": ["parameters"], **times}),
        code(
            "SEED = 7",
            id=f"i{start[:2]}",
            execution_count=2,
            metadata={"tags": ["injected-parameters"]},
        ),
        code("1", id="one", execution_count=3, outputs=[result], metadata={"tags": [], **times}),
        code(
            "", id="empty", metadata={"tags": ["keep"], "execution": {"iopub.execute_input": start}}
        ),
    ]
    metadata = {
        "papermill": {"end_time": start},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
    }
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def test_the_same_run_at_another_time_gives_the_same_bytes():
    assert normalise(executed("09:00"), VALUES) == normalise(executed("17:30"), VALUES)


def test_nothing_of_papermill_is_left_and_cells_are_numbered_without_a_gap():
    text = normalise(executed("09:00"), VALUES)
    notebook = nbformat.reads(text, as_version=4)
    assert "papermill" not in text and "09:00" not in text
    assert [cell.id for cell in notebook.cells] == ["title", "p", "one", "empty"]
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, 2, None]
    assert notebook.cells[2].outputs[0].execution_count == 2
    assert [cell.metadata.get("tags") for cell in notebook.cells] == [
        None,
        ["parameters"],
        None,
        ["keep"],
    ]
    assert text.endswith("}\n")


def test_widgets_are_dropped_with_their_state_and_other_outputs_stay():
    notebook = executed("09:00")
    shown = {"text/plain": "Loading: 100%", WIDGET: {"model_id": "affd7ba2"}}
    bar = nbformat.v4.new_output("display_data", data=shown)
    notebook.cells[3].outputs.insert(0, bar)
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    assert normalise(notebook, VALUES) == normalise(executed("09:00"), VALUES)
