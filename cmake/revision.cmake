# The git revision reaches the program through a generated header, refreshed at each build without forcing a rebuild.
add_custom_target(pillar_revision
    COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DVERSION=${PROJECT_VERSION}
            -DOUTPUT=${PROJECT_BINARY_DIR}/generated/pillar/revision.hpp
            -P ${PROJECT_SOURCE_DIR}/cmake/write_revision.cmake
    BYPRODUCTS ${PROJECT_BINARY_DIR}/generated/pillar/revision.hpp
    COMMENT "")
foreach(module core)
    add_dependencies(pillar_${module} pillar_revision)
    target_include_directories(pillar_${module} PRIVATE ${PROJECT_BINARY_DIR}/generated)
endforeach()
