# Tests that run on several ranks of this machine.
#
#   pillar_mpi_test(NAME SOURCES file... [RANKS n...] [TCP_RANKS n...] [LIBS target...] [LABELS label...])
#       builds mpi_NAME from the sources and tests/support/ranks/mpi_main.cpp and registers mpi.NAME.npN for each of RANKS
#       (default 1 2 3 4), and mpi.NAME.npN.tcp, over real sockets, for each of TCP_RANKS.
#   pillar_mpi_environment(TEST...)
#       the launchers' settings, for other tests that start mpirun.

# Debian's Open MPI 4.1 and 5 name the same thing differently; both are set. Ranks outnumber CPUs here: they must not
# be bound, and waiting ones must let others run.
set(PILLAR_MPI_ENVIRONMENT
    OMP_NUM_THREADS=1
    OMPI_ALLOW_RUN_AS_ROOT=1
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    OMPI_MCA_rmaps_base_oversubscribe=1
    PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
    OMPI_MCA_hwloc_base_binding_policy=none
    PRTE_MCA_hwloc_default_binding_policy=none
    OMPI_MCA_mpi_yield_when_idle=1
    OMPI_MCA_btl_vader_single_copy_mechanism=none)
set(PILLAR_MPI_TIMEOUT 60)
if(PILLAR_SANITIZE)
    set(PILLAR_MPI_TIMEOUT 240)
endif()
list(APPEND PILLAR_MPI_ENVIRONMENT MPIEXEC_TIMEOUT=${PILLAR_MPI_TIMEOUT})
math(EXPR PILLAR_MPI_CTEST_TIMEOUT "${PILLAR_MPI_TIMEOUT} + 30")
if(PILLAR_SANITIZE MATCHES "address")
    list(APPEND PILLAR_MPI_ENVIRONMENT ASAN_OPTIONS=detect_leaks=0) # MPI's own
endif()
set(PILLAR_TCP_ENVIRONMENT OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=lo)

function(pillar_mpi_environment)
    set_tests_properties(${ARGN} PROPERTIES ENVIRONMENT "${PILLAR_MPI_ENVIRONMENT}" LABELS mpi
                         TIMEOUT ${PILLAR_MPI_CTEST_TIMEOUT})
endfunction()

function(pillar_mpi_run test executable n_ranks)
    add_test(NAME ${test} COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${n_ranks} $<TARGET_FILE:${executable}>)
    pillar_mpi_environment(${test})
    set_tests_properties(${test} PROPERTIES PROCESSORS ${n_ranks})
endfunction()

function(pillar_mpi_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;RANKS;TCP_RANKS;LIBS;LABELS")
    if(NOT DEFINED arg_RANKS)
        set(arg_RANKS 1 2 3 4)
    endif()
    add_executable(mpi_${name} ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/support/ranks/mpi_main.cpp)
    target_link_libraries(mpi_${name} PRIVATE pillar_comm ${arg_LIBS} MPI::MPI_C GTest::gmock)
    target_include_directories(mpi_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(mpi_${name} PRIVATE PILLAR_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    foreach(n IN LISTS arg_RANKS)
        pillar_mpi_run(mpi.${name}.np${n} mpi_${name} ${n})
        set_property(TEST mpi.${name}.np${n} APPEND PROPERTY LABELS ${arg_LABELS})
    endforeach()
    foreach(n IN LISTS arg_TCP_RANKS)
        pillar_mpi_run(mpi.${name}.np${n}.tcp mpi_${name} ${n})
        set_property(TEST mpi.${name}.np${n}.tcp APPEND PROPERTY ENVIRONMENT ${PILLAR_TCP_ENVIRONMENT})
        set_property(TEST mpi.${name}.np${n}.tcp APPEND PROPERTY LABELS ${arg_LABELS})
    endforeach()
endfunction()
