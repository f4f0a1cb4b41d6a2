"""Strategies by name."""

import pytest

from llm_course.errors import CourseError
from llm_course.recipes.train.strategies import STRATEGIES, make_strategy
from llm_course.training.strategy import SingleProcess


def test_one_process_is_the_default_of_the_command():
    made = make_strategy("single", "cpu")
    assert isinstance(made, SingleProcess) and made.device.type == "cpu"


def test_an_unknown_name_is_refused():
    with pytest.raises(CourseError, match="--strategy: expected one of single.*, got 'ddpp'"):
        make_strategy("ddpp", "cpu")


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(CourseError, match="--device: expected a CUDA device for 'cuda:1'"):
        make_strategy("single", "cuda:1")


def test_several_processes_do_not_train_one_model_each(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(CourseError, match="WORLD_SIZE: expected 1 process for the strategy single"):
        make_strategy("single", "cpu")


def test_another_strategy_is_one_entry(monkeypatch):
    monkeypatch.setitem(STRATEGIES, "mine", lambda device, options: SingleProcess(device))
    assert make_strategy("mine", "cpu").rank == 0
