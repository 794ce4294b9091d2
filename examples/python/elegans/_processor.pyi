# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
def builds() -> tuple[str, ...]:
    """The builds that run here, the fastest first."""
