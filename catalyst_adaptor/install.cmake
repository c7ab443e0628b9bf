# SPDX-License-Identifier: BSD-3-Clause
# What another host needs: the library, its header, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

install(TARGETS weightscape_shared EXPORT WeightscapeTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/weightscape DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Weightscape)
install(EXPORT WeightscapeTargets NAMESPACE Weightscape:: FILE WeightscapeTargets.cmake DESTINATION ${package_folder})
configure_package_config_file(WeightscapeConfig.cmake.in WeightscapeConfig.cmake
    INSTALL_DESTINATION ${package_folder} PATH_VARS CMAKE_INSTALL_DATADIR)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(WeightscapeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/WeightscapeConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/WeightscapeConfigVersion.cmake
    DESTINATION ${package_folder})

file(RELATIVE_PATH WEIGHTSCAPE_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(weightscape.pc.in weightscape.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/weightscape.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
