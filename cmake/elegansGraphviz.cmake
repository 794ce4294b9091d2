# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# Defines Graphviz::gvc and Graphviz::cgraph if the libraries are there. Graphviz brings no CMake package of its own.
if(TARGET Graphviz::gvc AND TARGET Graphviz::cgraph)
  return()
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(ELEGANS_GRAPHVIZ_PC QUIET libgvc libcgraph)
endif()
find_path(ELEGANS_GRAPHVIZ_INCLUDE_DIR gvc.h HINTS ${ELEGANS_GRAPHVIZ_PC_INCLUDE_DIRS} PATH_SUFFIXES graphviz)
find_library(ELEGANS_GRAPHVIZ_GVC gvc HINTS ${ELEGANS_GRAPHVIZ_PC_LIBRARY_DIRS})
find_library(ELEGANS_GRAPHVIZ_CGRAPH cgraph HINTS ${ELEGANS_GRAPHVIZ_PC_LIBRARY_DIRS})
find_library(ELEGANS_GRAPHVIZ_CDT cdt HINTS ${ELEGANS_GRAPHVIZ_PC_LIBRARY_DIRS})
mark_as_advanced(ELEGANS_GRAPHVIZ_INCLUDE_DIR ELEGANS_GRAPHVIZ_GVC ELEGANS_GRAPHVIZ_CGRAPH ELEGANS_GRAPHVIZ_CDT)

if(ELEGANS_GRAPHVIZ_INCLUDE_DIR AND ELEGANS_GRAPHVIZ_GVC AND ELEGANS_GRAPHVIZ_CGRAPH AND ELEGANS_GRAPHVIZ_CDT)
  # Both <gvc.h>, as in Graphviz' manual, and <graphviz/gvc.h>.
  set(elegans_graphviz_directories "${ELEGANS_GRAPHVIZ_INCLUDE_DIR}")
  if(ELEGANS_GRAPHVIZ_INCLUDE_DIR MATCHES "/graphviz$")
    get_filename_component(elegans_graphviz_parent "${ELEGANS_GRAPHVIZ_INCLUDE_DIR}" DIRECTORY)
    list(APPEND elegans_graphviz_directories "${elegans_graphviz_parent}")
  endif()
  foreach(library IN ITEMS gvc cgraph)
    string(TOUPPER ${library} elegans_graphviz_variable)
    add_library(Graphviz::${library} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(
      Graphviz::${library}
      PROPERTIES IMPORTED_LOCATION "${ELEGANS_GRAPHVIZ_${elegans_graphviz_variable}}"
                 INTERFACE_INCLUDE_DIRECTORIES "${elegans_graphviz_directories}"
                 INTERFACE_LINK_LIBRARIES "${ELEGANS_GRAPHVIZ_CDT}")
  endforeach()
endif()
