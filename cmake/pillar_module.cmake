# One function makes a module's library from its name and what it may use.
# tests/architecture reads the same calls in CMakeLists.txt and fails on any include they do not allow.
#
#   pillar_module(NAME [COLD] [USES module...] [LIBRARIES target...])
#
# COLD: nothing of it runs between two tokens but what is counted in microseconds; it is compiled with -O1, which takes
# two thirds of the time, and for a release eight sources at once (PILLAR_UNITY), which read their headers once.
#
# Sources are src/NAME/**.cpp. What lies in src/NAME/<instruction set>/ or below is compiled with that set's flags, only
# for its processor; everything else keeps to the processor family's baseline, so that one binary starts everywhere.
# Where such a folder is compiled and has a family.cpp, the module's sources see PILLAR_HAVE_<FOLDER>=1.

get_filename_component(PILLAR_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

set(PILLAR_ISA_FOLDERS avx2 avxvnni avx512 neon dotprod)
set(PILLAR_ISA_avx2_processor x86_64)
set(PILLAR_ISA_avx2_flags -mavx2 -mfma -mf16c)
set(PILLAR_ISA_avxvnni_processor x86_64)
set(PILLAR_ISA_avxvnni_flags -mavx2 -mfma -mf16c -mavxvnni)
set(PILLAR_ISA_avx512_processor x86_64)
set(PILLAR_ISA_avx512_flags -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni)
set(PILLAR_ISA_neon_processor aarch64)
# g++'s first scheduling pass, before registers are given out, mixes the columns of a block and makes more of them live
# than there are (jobs/develop/a72_cycles.sh shows what it costs). clang does not know the flag.
set(PILLAR_ISA_neon_flags $<$<CXX_COMPILER_ID:GNU>:-fno-schedule-insns>)
set(PILLAR_ISA_dotprod_processor aarch64)
set(PILLAR_ISA_dotprod_flags -march=armv8.2-a+dotprod -mtune=cortex-a76 ${PILLAR_ISA_neon_flags})

function(pillar_module name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "COLD" "" "USES;LIBRARIES")
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PILLAR_ROOT}/src/${name}/*.cpp)
    set(families "")
    foreach(isa IN LISTS PILLAR_ISA_FOLDERS)
        file(GLOB_RECURSE isa_sources ${PILLAR_ROOT}/src/${name}/${isa}/*.cpp) # a part of what is watched above
        if(CMAKE_SYSTEM_PROCESSOR STREQUAL PILLAR_ISA_${isa}_processor)
            set_source_files_properties(${isa_sources} PROPERTIES COMPILE_OPTIONS "${PILLAR_ISA_${isa}_flags}"
                                                                   SKIP_PRECOMPILE_HEADERS ON)
            if("${PILLAR_ROOT}/src/${name}/${isa}/family.cpp" IN_LIST isa_sources)
                string(TOUPPER "PILLAR_HAVE_${isa}=1" family)
                list(APPEND families ${family})
            endif()
        elseif(isa_sources)
            list(REMOVE_ITEM sources ${isa_sources})
        endif()
    endforeach()
    if(sources)
        add_library(pillar_${name} STATIC ${sources})
        set(scope PUBLIC)
    else()
        add_library(pillar_${name} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_include_directories(pillar_${name} ${scope} ${PILLAR_ROOT}/include)
    target_link_libraries(pillar_${name} ${scope} pillar_flags fmt::fmt)
    if(sources)
        target_include_directories(pillar_${name} PRIVATE ${PILLAR_ROOT}/src/${name})
        target_link_libraries(pillar_${name} PRIVATE ${arg_LIBRARIES}) # seen by this module alone
        target_compile_definitions(pillar_${name} PRIVATE ${families})
    endif()
    if(sources AND arg_COLD)
        target_compile_options(pillar_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
        if(PILLAR_UNITY AND CMAKE_BUILD_TYPE STREQUAL Release)
            set_target_properties(pillar_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
            # Files of one kind, which are alike on purpose, use the same names for their own.
            set(alike ${sources})
            list(FILTER alike INCLUDE REGEX "/(architectures|families|rules)/")
            set_source_files_properties(${alike} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
        endif()
    endif()
    # Compiled headers go with the flags: those of the first module that has these serve all.
    if(sources AND PILLAR_PRECOMPILE AND NOT arg_LIBRARIES MATCHES "OpenMP")
        set(owner core)
        if(arg_COLD)
            set(owner telemetry)
        endif()
        if(name STREQUAL owner)
            target_precompile_headers(pillar_${name} PRIVATE ${PILLAR_ROOT}/cmake/common_headers.hpp)
        else()
            target_precompile_headers(pillar_${name} REUSE_FROM pillar_${owner})
        endif()
    endif()
    foreach(module IN LISTS arg_USES)
        target_link_libraries(pillar_${name} ${scope} pillar_${module})
    endforeach()
endfunction()
