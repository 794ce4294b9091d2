// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#define ELEGANS_UNIT wide
#include "march/unit.inl"
