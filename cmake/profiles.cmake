# The machine profiles and networks of hostfiles/ are part of the program, by name: `plan --profile pi5`.
function(pillar_shipped_texts folder variable)
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.json)
    list(SORT files)
    set(entries "")
    foreach(file IN LISTS files)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
        get_filename_component(name ${file} NAME)
        string(REGEX REPLACE "\\.json$" "" name ${name})
        file(READ ${file} text)
        string(APPEND entries "    {\"${name}\", R\"pillar(${text})pillar\"},\n")
    endforeach()
    set(${variable} "${entries}" PARENT_SCOPE)
endfunction()

pillar_shipped_texts(hostfiles profiles)
pillar_shipped_texts(hostfiles/networks networks)
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/generated/pillar/profiles.hpp CONTENT
"// Made by cmake/profiles.cmake.
#pragma once

#include <string_view>

namespace pillar::perf {

struct ShippedText {
    std::string_view name;
    std::string_view text;
};

inline constexpr ShippedText shipped_profiles[] = {
${profiles}};
inline constexpr ShippedText shipped_networks[] = {
${networks}};

} // namespace pillar::perf
")
target_include_directories(pillar_perf PRIVATE ${PROJECT_BINARY_DIR}/generated)
