// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <clocale>
#include <cstdlib>
#include <locale>
#include <string>

#include "support/catch.hpp"
#include "support/folder.hpp"

namespace support {

/// While this object lives, C and C++ write one and a half as "1,5" and a thousand as "1.000": the locale of a program
/// that calls `setlocale(LC_ALL, "")` and `std::locale::global(std::locale(""))` in Germany.
class DecimalComma {
 public:
  DecimalComma() : before_(std::locale::global(std::locale(std::locale::classic(), new Punctuation))) {
    // Compile a locale, because test machines seldom have one. Without its sources (Debian's package locales), only C++
    // gets decimal commas.
    const std::string command =
        "localedef -i de_DE -f UTF-8 '" + (folder_.path / "de_DE.UTF-8").string() + "' >/dev/null 2>&1";
    if (std::system(command.c_str()) != 0 || ::setenv("LOCPATH", folder_.path.c_str(), 1) != 0 ||
        !std::setlocale(LC_ALL, "de_DE.UTF-8")) {
      WARN("no locale with decimal commas for C: only C++ has one");
    }
  }
  DecimalComma(const DecimalComma&) = delete;
  DecimalComma& operator=(const DecimalComma&) = delete;
  ~DecimalComma() {
    std::setlocale(LC_ALL, "C");
    ::unsetenv("LOCPATH");
    std::locale::global(before_);
  }

 private:
  struct Punctuation : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  Folder folder_;
  std::locale before_;
};

}  // namespace support
