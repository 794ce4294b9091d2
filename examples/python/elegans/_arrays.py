# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""What the native module wants of numpy's arrays."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ._native import native

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

_DTYPES = {"float32": False, "float64": True}


def refuse(message: str) -> NoReturn:
    raise native.InvalidArgument(message)


def address(array: np.ndarray[Any, Any] | None) -> int:
    return 0 if array is None else array.ctypes.data


def strided(array: np.ndarray[Any, Any]) -> tuple[int, int, int, int]:
    """Address and strides of a (batch, time, features) array, in values."""
    batch, steps, features = (stride // array.itemsize for stride in array.strides)
    return array.ctypes.data, steps, batch, features


def plain(array: ArrayLike, dtype: DTypeLike) -> np.ndarray[Any, Any]:
    """An array of that dtype whose strides are whole numbers of values, and not negative."""
    array = np.asarray(array, dtype=dtype)
    is_plain = array.flags.aligned and all(s >= 0 and s % array.itemsize == 0 for s in array.strides)
    return array if is_plain else array.copy()


def is_double(dtype: DTypeLike) -> bool:
    """Whether that is float64; refuses all but float32 and float64."""
    name = np.dtype(dtype).name
    if name not in _DTYPES:
        refuse(f"dtype must be float32 or float64, got {name}")
    return _DTYPES[name]
