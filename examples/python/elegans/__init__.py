# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Neural circuit policies, fast."""
from ._native import native as _native

InvalidArgument = _native.InvalidArgument
