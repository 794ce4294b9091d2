// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#define ELEGANS_UNIT baseline
#include "march/unit.inl"
