# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Conan 2's recipe, of the sources that it lies in: conan create cmake/packaging/conan."""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class ElegansConan(ConanFile):
    name = "elegans"
    description = "Neural circuit policies in C++20: sparse recurrent networks in continuous time"
    license = "Apache-2.0"
    topics = ("neural-network", "recurrent", "robotics", "eigen", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_io": [True, False]}
    default_options = {"with_io": False}
    no_copy_source = True

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._root, "include", "elegans", "core", "version.hpp"))
        self.version = ".".join(re.findall(r"#define ELEGANS_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def export_sources(self):
        copy(self, "LICENSE", self._root, self.export_sources_folder)
        copy(self, "include/*.hpp", self._root, self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("eigen/[>=3.4.0 <6]", transitive_headers=True)
        if self.options.with_io:
            self.requires("nlohmann_json/[>=3.11 <4]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        # Graphviz is the system's, as there is no package of it.
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "elegans")
        self.cpp_info.set_property("pkg_config_name", "elegans")
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "elegans::elegans")
        core.requires = ["eigen::eigen"]
        core.bindirs = core.libdirs = []
        if self.options.with_io:
            io = self.cpp_info.components["io"]
            io.set_property("cmake_target_name", "elegans::io")
            io.requires = ["core", "nlohmann_json::nlohmann_json"]
            io.bindirs = io.libdirs = []
