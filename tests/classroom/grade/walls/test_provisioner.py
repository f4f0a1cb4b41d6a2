"""Jupyter finds the provisioner and starts kernels through it."""

import sys

from jupyter_client.provisioning import KernelProvisionerFactory

from llm_course.classroom.grade.walls.provisioner import NAME, SandboxProvisioner, kernel_spec


def spec(tmp_path):
    return kernel_spec(tmp_path / "view", tmp_path / "runtime", [tmp_path / "cache"], ["math.sin"])


def test_jupyter_finds_it_by_its_entry_point(tmp_path):
    factory = KernelProvisionerFactory.instance()
    assert factory.is_provisioner_available(spec(tmp_path))
    made = factory.create_provisioner_instance("k", spec(tmp_path), parent=None)
    assert isinstance(made, SandboxProvisioner)
    assert (made.package, made.runtime) == (str(tmp_path / "view"), str(tmp_path / "runtime"))
    assert made.readable == [str(tmp_path / "cache")]


def test_the_specification_says_what_runs(tmp_path):
    found = spec(tmp_path)
    assert found.argv[:4] == ["timeout", "-s", "KILL", "900"] and found.argv[4] == sys.executable
    assert found.argv[-2:] == ["{connection_file}", "math.sin"]
    assert found.metadata["kernel_provisioner"]["provisioner_name"] == NAME
