# Every file of src/model/config/architectures/ is an architecture: NAME.cpp defines NAME_architecture, and is on the
# list for being there. (A file that listed itself would be left out of the program by the linker.)
file(GLOB architecture_files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/src/model/config/architectures
     ${PROJECT_SOURCE_DIR}/src/model/config/architectures/*.cpp)
list(SORT architecture_files)
set(declared "")
set(listed "")
foreach(file IN LISTS architecture_files)
    string(REGEX REPLACE "\\.cpp$" "_architecture" name ${file})
    string(APPEND declared "extern const Architecture ${name};\n")
    string(APPEND listed "    &${name},\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/pillar/architectures.hpp CONTENT
"// Made by cmake/architectures.cmake.
#pragma once

#include \"pillar/model/architecture.hpp\"

namespace pillar::model {

${declared}
inline constexpr const Architecture* all_architectures[] = {
${listed}};

} // namespace pillar::model
")
target_include_directories(pillar_model PRIVATE ${PROJECT_BINARY_DIR}/generated)
