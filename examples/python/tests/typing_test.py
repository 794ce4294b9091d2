# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""The types and docstrings of the package, and the stub that the build makes of the native module."""
import inspect
import os
import pathlib
import re
import subprocess
import sys

import pytest

import elegans
import elegans.wirings

PACKAGE = pathlib.Path(elegans.__file__).parent
MODULES = ["elegans"] + [f"elegans.{name}" for name in ("_arrays", "_native", "files", "layers", "models", "training",
                                                        "wirings")]


def mypy(tmp_path, *arguments):
    run = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *arguments],
                         capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "MYPYPATH": ""})
    assert run.stderr == ""
    return run.stdout


def test_the_package_calls_the_native_module_as_its_stub_says(tmp_path):
    assert (PACKAGE / "_native_module.pyi").is_file() and (PACKAGE / "py.typed").is_file()
    out = mypy(tmp_path, *(word for module in MODULES for word in ("-m", module)))
    assert out == f"Success: no issues found in {len(MODULES)} source files\n"


def test_the_stub_has_all_names_of_the_module():
    native = sys.modules[f"elegans._native_{elegans.build}"]
    stub = (PACKAGE / "_native_module.pyi").read_text()
    names = set(re.findall(r"^(?:def|class) (\w+)", stub, re.MULTILINE))
    assert names == {name for name in dir(native) if not name.startswith("__")}
    members = set(re.findall(r"^    def (\w+)", stub, re.MULTILINE))
    classes = (native.Network, native.Pass)
    assert members == {name for kind in classes for name in vars(kind) if not name.startswith("_")}


def test_programs_are_checked(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("""import numpy as np
import elegans

model = elegans.Sequential([elegans.LTC(elegans.wirings.AutoNCP(8, 1), 2), elegans.Dense(1, 1)])
history = elegans.fit(model, np.zeros((3, 2)), [[0.0]], metrics=["r2"], on_epoch=lambda epoch: epoch["loss"] > 0)
y, state = model(np.zeros((3, 2)))
reveal_type(y)
reveal_type(model.layers)
elegans.Dense("1", 8)
elegans.fit(model, y, y, epoch=3)
elegans.Sequential([1])
""")
    found = [(int(line), text) for line, text in re.findall(r"program.py:(\d+): (.*)", mypy(tmp_path, str(program)))]
    assert [line for line, text in found if "error" in text] == [9, 10, 11]
    assert "ndarray[Any, Any]" in dict(found)[7] or "ndarray[Any, dtype[Any]]" in dict(found)[7]
    assert "list[elegans.models.Model]" in dict(found)[8]


def public():
    """Names and objects of the public classes, methods and functions that this package defines."""
    names = [(name, getattr(elegans, name)) for name in elegans.__all__]
    names += [(f"wirings.{name}", getattr(elegans.wirings, name)) for name in elegans.wirings.__all__]
    for name, found in names:
        if inspect.isfunction(found):
            yield name, found
        elif inspect.isclass(found) and not issubclass(found, Exception):
            yield name, found
            for member, value in vars(found).items():
                if member == "__call__" or not member.startswith("_"):
                    yield f"{name}.{member}", value


@pytest.mark.parametrize("name, what", list(public()))
def test_docstrings_name_all_parameters(name, what):
    assert what.__doc__, name
    has_parameters = "__init__" in vars(what) if inspect.isclass(what) else inspect.isfunction(what)
    if has_parameters and not what.__doc__.startswith("See "):
        for parameter in inspect.signature(what).parameters:
            assert parameter == "self" or re.search(rf"\b{parameter}\b", what.__doc__), f"{name}: {parameter}"
