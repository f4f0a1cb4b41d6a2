import json

import pytest

from llm_course.classroom.course import notebooks
from llm_course.classroom.execute import gpu_report, kernel_setup
from llm_course.classroom.execute.failure import Failure
from llm_course.classroom.execute.run import Result
from llm_course.errors import CourseError

MACHINE = {"device": "NVIDIA H200", "n_devices": 1, "versions": {"torch": "2.13.0"}}
KEY = "07_sample/counting"


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(kernel_setup, "cuda_devices", list)


@pytest.fixture
def a_gpu(monkeypatch, sample_course):
    """A machine whose notebooks run at once; gives the arguments of each run."""
    monkeypatch.setattr(kernel_setup, "cuda_devices", lambda: ["0"])
    monkeypatch.setattr(gpu_report, "describe_machine", lambda: dict(MACHINE))
    asked = []

    def execute(root, scale, device, **options):
        asked.append((scale, device, options))
        failure = Failure(KEY, "See it", "x.md", 3, "E: e") if "fails" in options["only"] else None
        return [
            Result(
                notebook=notebook,
                status="failed" if failure else "executed",
                seconds=12.5,
                peak_bytes=10,
                device_peak_bytes=20,
                path=root / "x.ipynb",
                failure=failure,
            )
            for notebook in notebooks(root)
        ]

    monkeypatch.setattr(gpu_report, "execute", execute)
    monkeypatch.chdir(sample_course)
    return asked


def written(root):
    return json.loads((root / gpu_report.REPORT).read_text())


def test_without_a_device_one_line_and_exit_code_2(no_gpu, sample_course, monkeypatch, capsys):
    monkeypatch.chdir(sample_course)
    assert gpu_report.main([]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1 and "expected a CUDA device" in told.err
    assert not (sample_course / "build").exists(), "nothing may be written"
    with pytest.raises(CourseError):
        gpu_report.run(sample_course)


def test_report_holds_machine_hash_cost_and_status(a_gpu, sample_course):
    assert gpu_report.main([]) == 0
    scale, device, options = a_gpu[0]
    assert (scale, device, options["force"]) == ("gpu", "cuda", True)
    report = written(sample_course)
    assert {name: report[name] for name in MACHINE} == MACHINE
    assert report["notebooks"][KEY] == {
        "source": gpu_report.source_hash(notebooks(sample_course)[0]),
        "status": "executed",
        "seconds": 12.5,
        "peak_bytes": 10,
        "device_peak_bytes": 20,
    }


def test_a_failure_is_reported_told_and_gives_exit_code_1(a_gpu, sample_course, capsys):
    assert gpu_report.main(["fails"]) == 1
    assert written(sample_course)["notebooks"][KEY]["status"] == "failed"
    assert "failed at “See it”" in capsys.readouterr().out


def test_resume_keeps_what_is_still_good(a_gpu, sample_course):
    gpu_report.main(["--resume", "--jobs", "1"])
    assert a_gpu[0][2]["force"] is False and a_gpu[0][2]["jobs"] == 1


@pytest.mark.parametrize(
    ("change", "arguments", "kept"),
    [
        ({}, [KEY], True),
        ({}, [], False),
        ({"device": "another"}, [KEY], False),
        ({"versions": {"torch": "2.11.0"}}, [KEY], False),
    ],
)
def test_a_part_keeps_the_rest_of_the_same_machine(a_gpu, sample_course, change, arguments, kept):
    earlier = MACHINE | change | {"notebooks": {"01_a/b": {"status": "executed"}}}
    path = sample_course / gpu_report.REPORT
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(earlier))
    gpu_report.main(arguments)
    assert ("01_a/b" in written(sample_course)["notebooks"]) is kept


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_damaged_earlier_report_is_left_aside(a_gpu, sample_course, text):
    path = sample_course / gpu_report.REPORT
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert gpu_report.main([KEY]) == 0
    assert list(written(sample_course)["notebooks"]) == [KEY]
