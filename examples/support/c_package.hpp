// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/version.hpp>
#include <elegans/system/file.hpp>

#include "program.hpp"

namespace examples {

/// Whose build makes a library of a network's two files.
enum class CPackage { none, arduino, zephyr, idf };

/// A file of a package: where it is below the folder of the network's files, and what is in it.
using PackageFile = std::pair<std::filesystem::path, std::string>;

/// The manifests of a package. \param file  of the network, without .h and .c
inline std::vector<PackageFile> package_files(CPackage package, const std::string& file) {
  const std::string made = "# Made by export_c of elegans; do not edit, export again.\n";
  switch (package) {
    case CPackage::none:
      return {};
    case CPackage::arduino:
      return {{"library.properties", made + "name=" + file + "\nversion=" + ELEGANS_VERSION_STRING +
                                         "\nauthor=export_c of elegans\nmaintainer=export_c of elegans\n"
                                         "sentence=A trained network in C.\n"
                                         "paragraph=The first comment of " +
                                         file + ".h says how to call it.\ncategory=Data Processing\n" +
                                         "url=\narchitectures=*\nincludes=" + file + ".h\n"}};
    case CPackage::zephyr:
      return {{"zephyr/module.yml", made + "name: " + file + "\nbuild:\n  cmake: zephyr\n"},
              {"zephyr/CMakeLists.txt", made + "zephyr_library_named(" + file + ")\nzephyr_library_sources(../" + file +
                                            ".c)\nzephyr_include_directories(..)\n"}};
    case CPackage::idf:
      return {{"idf_component.yml",
               made + "version: \"" + ELEGANS_VERSION_STRING + "\"\ndescription: A trained network in C\n"},
              {"CMakeLists.txt", made + "idf_component_register(SRCS \"" + file + ".c\" INCLUDE_DIRS \".\")\n"}};
  }
  return {};
}

/// Files of the same names that somebody else wrote must stay.
/// \throws elegans::InvalidArgument if there is such a file
inline void check_package(const std::vector<PackageFile>& files, const std::filesystem::path& folder) {
  for (const auto& [name, text] : files) {
    const std::filesystem::path path = folder / name;
    const std::string first = text.substr(0, text.find('\n'));
    if (std::filesystem::exists(path) && !read_text(path.string()).starts_with(first)) {
      elegans::detail::refuse("--package: ", path.string(),
                              " is there and not of export_c: give --out a folder of its own");
    }
  }
}
inline void write_package(const std::vector<PackageFile>& files, const std::filesystem::path& folder) {
  for (const auto& [name, text] : files) {
    std::filesystem::create_directories((folder / name).parent_path());
    elegans::write_file((folder / name).string(), text);
  }
}

}  // namespace examples
