import pytest

from llm_course.pretrained.course_checkpoint import load_course_checkpoint
from llm_course.recipes import long_context_tables as tables
from llm_course.resources.recorded import load_recorded


@pytest.fixture(scope="module")
def world():
    return load_course_checkpoint()


def test_tuning_measures_every_method_at_every_step(world, monkeypatch):
    monkeypatch.setattr(tables, "METHODS", {"direct": (None, 4), "yarn, staged": ("yarn", 2)})
    rows = tables.tuning_rows(world, target=512, n_steps=8, every=4, seeds=[0])
    found = {(row["method"], row["step"]): row["loss"] for row in rows}
    assert set(found) == {(name, step) for name in tables.METHODS for step in (4, 8)}
    assert found["direct", 8] < found["direct", 4], "it learns"


def test_a_stream_is_cut_into_parts_of_constant_memory(world):
    rows = tables.stream_rows(world, n_tokens=600, every=200, n_sinks=4, window=60, chunk=40)
    assert [row["n_tokens"] for row in rows] == [200, 400, 600]
    assert all(1 < row["loss"] < 3 for row in rows)
    assert rows[-1]["most_mib"] >= rows[0]["most_mib"] > 0


def test_the_grids_are_complete_and_their_cells_are_paired_by_seed(world):
    middle = tables.middle_rows(world, n_sentences=2, n_keys=2, depths=[0.0, 1.0], seeds=[0, 1])
    assert [(r["depth"], r["seed"]) for r in middle] == [(0.0, 0), (1.0, 0), (0.0, 1), (1.0, 1)]
    windows = tables.window_rows(world, n_facts=3, n_windows=[1, 3], seeds=[2])
    assert [(r["n_windows"], r["seed"]) for r in windows] == [(1, 2), (3, 2)]
    passkey = tables.passkey_rows(world, plan=[(60, 1, [0.0, 1.0])])
    assert [(r["n_tokens"], r["depth"], r["n"]) for r in passkey] == [(60, 0.0, 1), (60, 1.0, 1)]
    assert {r["hit"] for r in middle + windows} <= {0, 1}


@pytest.mark.parametrize("table", list(tables.TABLES))
def test_every_table_is_recorded_with_the_numbers_that_it_is_made_with(table):
    recorded = load_recorded(f"long_context_{table}")
    _, _, config = tables.TABLES[table]
    kept = {key: recorded.provenance["config"][key] for key in config}
    assert repr(kept) == repr(config).replace("(", "[").replace(")", "]")
    assert recorded.provenance["command"].endswith(f"long_context_tables {table}")


def test_main_records_what_was_made(world, tmp_path, monkeypatch):
    made = {"rows": [{"a": 1}]}
    monkeypatch.setattr(
        tables, "record", lambda name, rows, **how: made.update(name=name, rows=rows, **how)
    )
    monkeypatch.setitem(
        tables.TABLES, "toy", (lambda **_: world, lambda _, n: [{"n": n}], {"n": 3})
    )
    tables.main("toy")
    assert made["name"] == "long_context_toy" and made["rows"] == [{"n": 3}]
    assert made["config"] == {"model": "course checkpoint", "n": 3}
