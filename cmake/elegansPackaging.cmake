# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# Makes one header, a Debian package or an archive of the library.

# --- One header: cmake --build build --target elegans_single_header ---------------------------------------------------

find_package(Python3 COMPONENTS Interpreter QUIET)
set(elegans_single_header "${PROJECT_BINARY_DIR}/single_header/elegans.hpp")
if(TARGET Python3::Interpreter)
  file(GLOB_RECURSE elegans_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/*.hpp")
  add_custom_command(
    OUTPUT "${elegans_single_header}"
    COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/cmake/packaging/single_header.py" "${elegans_single_header}"
    DEPENDS "${PROJECT_SOURCE_DIR}/cmake/packaging/single_header.py" ${elegans_headers}
    COMMENT "Making ${elegans_single_header}"
    VERBATIM)
  add_custom_target(elegans_single_header DEPENDS "${elegans_single_header}")
endif()

# --- Packages: cpack -G DEB or TGZ, in the build tree ------------------------------------------------------------------

if(NOT ELEGANS_INSTALL)
  return()
endif()

# Each kind of package wants the licence in another place.
install(FILES cmake/packaging/copyright DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/libelegans-dev"
        COMPONENT elegans_debian EXCLUDE_FROM_ALL)

set(CPACK_PACKAGE_NAME elegans)
set(CPACK_PACKAGE_VENDOR "The elegans authors")
set(CPACK_PACKAGE_CONTACT "The elegans authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION} (headers)")
set(CPACK_PACKAGE_FILE_NAME "elegans-${PROJECT_VERSION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_PACKAGE_NAME libelegans-dev)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libgraphviz-dev, nlohmann-json3-dev")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "elegans trains and runs sparse recurrent networks in continuous time,
modelled on the worm C. elegans: liquid time-constant (LTC) and closed-form
continuous-time (CfC) cells, wired as neural circuit policies.

It is a header-only library for C++20, with a CMake package and a pkg-config
file. Graphs of wirings need libgraphviz-dev, model files nlohmann-json3-dev.")

# Each kind of package chooses among the components above.
configure_file(cmake/packaging/cpack.cmake.in "${PROJECT_BINARY_DIR}/packaging/cpack.cmake" @ONLY)
set(CPACK_PROJECT_CONFIG_FILE "${PROJECT_BINARY_DIR}/packaging/cpack.cmake")

# Headers need no build. Without these lines cpack would build all tests first.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(CMAKE_SKIP_PACKAGE_ALL_DEPENDENCY ON)
include(CPack)
