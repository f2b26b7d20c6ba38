# Cross-compiles for a 64-bit Raspberry Pi (Cortex-A72) against the sysroot that jobs/develop/sysroot.sh unpacks. Without a
# sysroot only what needs no library beyond the compiler's own can be built.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# What -mcpu=cortex-a72 means, in words that a folder of kernels for a newer processor can replace.
set(CMAKE_C_FLAGS_INIT "-march=armv8-a+crc -mtune=cortex-a72")
set(CMAKE_CXX_FLAGS_INIT "-march=armv8-a+crc -mtune=cortex-a72")

get_filename_component(PILLAR_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../sysroot/aarch64" ABSOLUTE)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -cpu cortex-a72 -L "${PILLAR_SYSROOT}")
if(EXISTS "${PILLAR_SYSROOT}")
    set(CMAKE_SYSROOT "${PILLAR_SYSROOT}")

    # CMake asks these two libraries' compiler wrappers where they are, and those of the host answer for the host.
    set(library_dir "${PILLAR_SYSROOT}/usr/lib/aarch64-linux-gnu")
    set(MPI_C_LIB_NAMES mpi CACHE STRING "")
    set(MPI_mpi_LIBRARY "${library_dir}/openmpi/lib/libmpi.so" CACHE FILEPATH "")
    set(MPI_C_HEADER_DIR "${library_dir}/openmpi/include" CACHE PATH "")
    set(HDF5_C_COMPILER_EXECUTABLE OFF CACHE STRING "")
    set(HDF5_hdf5_LIBRARY_RELEASE "${library_dir}/hdf5/serial/libhdf5.so" CACHE FILEPATH "")
    set(HDF5_hdf5_hl_LIBRARY_RELEASE "${library_dir}/hdf5/serial/libhdf5_hl.so" CACHE FILEPATH "")
    set(HDF5_C_INCLUDE_DIR "${PILLAR_SYSROOT}/usr/include/hdf5/serial" CACHE PATH "")
endif()

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
