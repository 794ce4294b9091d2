# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# The library elegans::compiled: include/elegans/compiled.hpp says what is in it. It is compiled with the flags of the
# project that builds it, so it has the instructions of their processor.

# A file for each model: they are compiled side by side, and a program links only the models that it uses.
set(elegans_compiled_sources "")
function(elegans_compile name instantiation)
  set(source "${PROJECT_BINARY_DIR}/compiled/${name}.cpp")
  set(includes "#include <elegans/elegans.hpp>\n")
  foreach(header IN LISTS ARGN)
    string(APPEND includes "#include <${header}>\n")
  endforeach()
  file(CONFIGURE OUTPUT "${source}"
       CONTENT "${includes}\nnamespace elegans {\n\n${instantiation}\n\n}  // namespace elegans\n")
  set(elegans_compiled_sources ${elegans_compiled_sources} "${source}" PARENT_SCOPE)
endfunction()
elegans_compile(wirings "ELEGANS_COMPILED_WIRINGS();")
foreach(model IN ITEMS LTC CfC MixedLTC MixedCfC)
  foreach(scalar IN ITEMS float double)
    elegans_compile(${model}_${scalar} "ELEGANS_COMPILED_MODEL(, ${model}, ${scalar});")
  endforeach()
endforeach()
foreach(scalar IN ITEMS float double)
  elegans_compile(gated_${scalar}
                  "ELEGANS_COMPILED_LAYER(, LSTM, ${scalar});\nELEGANS_COMPILED_LAYER(, GRU, ${scalar});")
  if(TARGET nlohmann_json::nlohmann_json)
    elegans_compile(files_${scalar} "ELEGANS_COMPILED_FILES(, ${scalar});" elegans/io/model_file.hpp)
  endif()
endforeach()

add_library(elegans_compiled STATIC ${elegans_compiled_sources})
add_library(elegans::compiled ALIAS elegans_compiled)
set_target_properties(elegans_compiled PROPERTIES EXPORT_NAME compiled POSITION_INDEPENDENT_CODE ON)
target_link_libraries(elegans_compiled PUBLIC elegans)
target_compile_definitions(elegans_compiled PUBLIC ELEGANS_COMPILED)
if(TARGET nlohmann_json::nlohmann_json)
  target_link_libraries(elegans_compiled PRIVATE $<BUILD_INTERFACE:elegans_io>)
  target_compile_definitions(elegans_compiled PUBLIC ELEGANS_COMPILED_IO)
endif()
if(NOT ELEGANS_BUILD_COMPILED)
  set_target_properties(elegans_compiled PROPERTIES EXCLUDE_FROM_ALL TRUE)
endif()
