// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include <elegans/elegans.hpp>

int main() { return nlohmann::json({{"units", elegans::Wiring<>(4, 1).units()}})["units"] == 4 ? 0 : 1; }
