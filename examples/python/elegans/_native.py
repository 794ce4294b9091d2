# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""The native module, in the fastest build that this processor runs.

The environment variable ELEGANS_BUILD chooses another: x86_64, x86_64_v3, x86_64_v4 or generic.
"""
from __future__ import annotations

import importlib
import importlib.util
import os
from typing import TYPE_CHECKING, Any

from . import _processor

__all__ = ["build", "native"]


def _choose() -> tuple[str, Any]:
    usable = _processor.builds()
    wanted = os.environ.get("ELEGANS_BUILD")
    if wanted:
        if wanted not in usable:
            raise ImportError(f"ELEGANS_BUILD={wanted}: this processor runs {', '.join(usable)}")
        usable = (wanted,)
    for name in usable:
        # A build that is missing is passed over. One that is there and does not load is an error.
        if importlib.util.find_spec(f"{__package__}._native_{name}"):
            return name, importlib.import_module(f"{__package__}._native_{name}")
    raise ImportError(f"elegans has no build for this processor, which runs {', '.join(usable)}")


if TYPE_CHECKING:
    # The stub that the build makes of one module: all have the same names.
    from . import _native_module as native

    build: str
else:
    build, native = _choose()
