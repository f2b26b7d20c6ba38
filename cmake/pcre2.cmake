# PCRE2::8BIT. Debian's package has no CMake configuration, and pkg-config cuts the path of a sysroot at a space.
find_path(PCRE2_INCLUDE_DIR pcre2.h)
find_library(PCRE2_LIBRARY pcre2-8)
if(NOT PCRE2_INCLUDE_DIR OR NOT PCRE2_LIBRARY)
    message(FATAL_ERROR "PCRE2 is missing: install libpcre2-dev (jobs/lib/packages.sh build)")
endif()
add_library(PCRE2::8BIT UNKNOWN IMPORTED)
set_target_properties(PCRE2::8BIT PROPERTIES IMPORTED_LOCATION "${PCRE2_LIBRARY}"
                                             INTERFACE_INCLUDE_DIRECTORIES "${PCRE2_INCLUDE_DIR}")
