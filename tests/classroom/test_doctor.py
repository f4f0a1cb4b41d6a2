import subprocess
import sys
from pathlib import Path

import pytest

from llm_course.classroom import doctor
from llm_course.classroom.course import find_root

ROOT = find_root(Path(__file__).parent)


def test_every_part_of_the_course_is_looked_for():
    names = [finding.name for finding in doctor.examine(ROOT)]
    assert names == [
        "Python",
        "base packages",
        "PyTorch",
        "extra notebooks",
        "extra test",
        "pretrained models",
        "texts and tables",
        "git",
        "disk space",
        "cache",
        "Chromium (browser test)",
        "bubblewrap (grading)",
        "GPU",
    ]


def test_whatever_is_missing_has_a_fix(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    missing = [finding for finding in doctor.examine(ROOT) if not finding.ok]
    assert {"base packages", "PyTorch", "git"} <= {finding.name for finding in missing}
    assert all(finding.fix for finding in missing)
    assert str(missing[0]).startswith("MISSING   base packages: torch, einops")


def test_what_is_optional_says_so(monkeypatch):
    monkeypatch.setattr(doctor, "find_program", lambda programs, places=(): None)
    assert str(doctor.browser()) == (
        "optional  Chromium (browser test): not found. Fix: make system-deps"
    )


@pytest.mark.parametrize(
    ("version", "ok"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)]
)
def test_python_versions(version, ok):
    assert doctor.python(version).ok is ok


def test_a_program_is_found_on_the_path_before_other_places(tmp_path, monkeypatch):
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    monkeypatch.setenv("PATH", "")
    assert doctor.find_program(["chromium"], [str(browser)]) == str(browser)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.find_program(["chromium"], ["/elsewhere"]) == str(browser)


def test_once_installed_little_space_is_enough(tmp_path):
    assert doctor.disk(tmp_path, needed=2 * doctor.shutil.disk_usage(tmp_path).total).ok


def test_too_little_disk_space_before_the_installation(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    finding = doctor.disk(tmp_path, needed=2 * doctor.shutil.disk_usage(tmp_path).total)
    assert not finding.ok
    assert "GiB free" in finding.found


def test_a_cache_folder_that_cannot_be_one(tmp_path):
    assert doctor.cache(tmp_path / "new" / "folder").ok
    (tmp_path / "file").touch()
    finding = doctor.cache(tmp_path / "file")
    assert not finding.ok
    assert "LLM_COURSE_CACHE" in finding.fix


def test_a_gpu_is_named_and_its_absence_is_no_fault(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho NVIDIA H100\necho NVIDIA H100\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert doctor.gpu().found == "NVIDIA H100, NVIDIA H100"
    program.write_text("#!/bin/sh\nexit 9\n")
    assert doctor.gpu().found == "none: everything runs on the CPU"
    assert doctor.gpu().ok


def test_the_doctor_imports_nothing_that_it_examines():
    code = (
        "import sys; import llm_course.cli, llm_course.classroom.doctor; "
        "print([name for name in ('torch', 'numpy', 'nbformat', 'yaml') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
