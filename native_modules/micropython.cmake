# The module `tinympy_native` in firmware that is built with CMake: USER_C_MODULES=<this file>.
# docs/native-modules.md
file(GLOB tinympy_kernels ${CMAKE_CURRENT_LIST_DIR}/kernels/*.c)
# Each is empty for any architecture but its own.
file(GLOB tinympy_assembly ${CMAKE_CURRENT_LIST_DIR}/kernels/*/*.S)
# Firmware is made small, kernels fast.
set_source_files_properties(${tinympy_kernels} PROPERTIES COMPILE_OPTIONS -O2)

add_library(usermod_tinympy INTERFACE)
target_sources(usermod_tinympy INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/micropython/usermodule.c
    ${tinympy_kernels}
    ${tinympy_assembly}
)
target_link_libraries(usermod INTERFACE usermod_tinympy)
