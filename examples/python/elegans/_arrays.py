# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""What the native module wants of numpy's arrays."""
import numpy as np

from ._native import native

_DTYPES = {"float32": False, "float64": True}


def refuse(message):
    raise native.InvalidArgument(message)


def address(array):
    return 0 if array is None else array.ctypes.data


def strided(array):
    """Address and strides of a (batch, time, features) array, in values."""
    if array is None:
        return (0, 0, 0, 0)
    batch, steps, features = (stride // array.itemsize for stride in array.strides)
    return array.ctypes.data, steps, batch, features


def plain(array, dtype):
    """An array of that dtype whose strides are whole numbers of values, and not negative."""
    array = np.asarray(array, dtype=dtype)
    is_plain = array.flags.aligned and all(s >= 0 and s % array.itemsize == 0 for s in array.strides)
    return array if is_plain else array.copy()


def is_double(dtype):
    name = np.dtype(dtype).name
    if name not in _DTYPES:
        refuse(f"dtype must be float32 or float64, got {name}")
    return _DTYPES[name]
