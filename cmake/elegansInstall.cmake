# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# The installed files may be moved. Without the library elegans::compiled, one package fits all architectures.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(elegans_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/elegans")

# The component `elegans` is everything but the licence: kinds of packages want that in different places.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME elegans)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT elegans_license)
install(DIRECTORY include/elegans DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")

# One export per component, so that a user needs the dependencies only of those components that he asks for.
set(elegans_exports "elegans elegansTargets" "elegans_graph elegansGraphTargets" "elegans_io elegansIoTargets"
                    "elegans_mpi elegansMpiTargets")
if(ELEGANS_BUILD_COMPILED)
  list(APPEND elegans_exports "elegans_compiled elegansCompiledTargets")
endif()
foreach(pair IN LISTS elegans_exports)
  separate_arguments(pair)
  list(GET pair 0 target)
  list(GET pair 1 export)
  install(TARGETS ${target} EXPORT ${export} INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT ${export} NAMESPACE elegans:: DESTINATION "${elegans_package_dir}")
endforeach()

# Before 1.0, a new minor version may break its users.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(elegans_compatibility SameMinorVersion)
else()
  set(elegans_compatibility SameMajorVersion)
endif()
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/elegansConfigVersion.cmake" ARCH_INDEPENDENT COMPATIBILITY ${elegans_compatibility})
configure_package_config_file(
  cmake/elegansConfig.cmake.in "${PROJECT_BINARY_DIR}/elegansConfig.cmake"
  INSTALL_DESTINATION "${elegans_package_dir}" NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
install(
  FILES "${PROJECT_BINARY_DIR}/elegansConfig.cmake" "${PROJECT_BINARY_DIR}/elegansConfigVersion.cmake"
        cmake/elegansGraphviz.cmake
  DESTINATION "${elegans_package_dir}")

file(RELATIVE_PATH elegans_up_to_prefix "/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/")
configure_file(cmake/elegans.pc.in "${PROJECT_BINARY_DIR}/elegans.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/elegans.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
