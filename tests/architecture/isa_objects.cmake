# Files compiled for a newer instruction set may not lend their code to the rest of the program: an inline function or
# template of a shared header that is emitted there is weak, and the linker may keep that copy for everyone.
# And where STEPS is given, no function of such a name may be there: steps of a product's innermost loop have to be part of
# it, for a call makes it spill all its sums.
#   cmake -DNM=nm "-DOBJECTS=a.o;b.o" "-DFOLDERS=avx2;neon" [-DSTEPS=scaled_dot] -P isa_objects.cmake
string(REPLACE ";" "|" folders "${FOLDERS}")
set(n_checked 0)
foreach(object IN LISTS OBJECTS)
    if(NOT object MATCHES "/src/[^/]+/(${folders})/")
        continue()
    endif()
    math(EXPR n_checked "${n_checked} + 1")
    execute_process(COMMAND ${NM} --demangle --defined-only ${object} OUTPUT_VARIABLE symbols RESULT_VARIABLE result)
    if(result)
        message(FATAL_ERROR "${NM} cannot read ${object}")
    endif()
    string(REGEX MATCHALL "[^\n]* W [^\n]*" weak "${symbols}")
    if(weak)
        message(FATAL_ERROR "${object} defines functions that other files share: ${weak}")
    endif()
    if(STEPS)
        string(REGEX MATCHALL "[^\n]* t [^\n]*::(${STEPS})[<(][^\n]*" called "${symbols}")
        if(called)
            message(FATAL_ERROR "${object} calls steps of its innermost loops, let them be always_inline: ${called}")
        endif()
    endif()
endforeach()
message(STATUS "${n_checked} objects define nothing that other files share")
