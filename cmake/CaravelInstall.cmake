# `cmake --install`: the binary, the static libraries, the public headers, and a package file, so that
#   find_package(caravel REQUIRED)
#   target_link_libraries(mine PRIVATE caravel::engine)
# builds against caravel/engine.h.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

get_property(modules GLOBAL PROPERTY CARAVEL_MODULES)
# Not the server and the command line: they are the binary's.
list(FILTER modules EXCLUDE REGEX "^caravel_(cli|server|http|report)")
foreach(module IN LISTS modules caravel_options)
  string(REPLACE caravel_ "" name ${module})
  set_target_properties(${module} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS caravel RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${modules} caravel_options EXPORT caravel-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT caravel-targets NAMESPACE caravel:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/caravel)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/caravel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/caravel-config.cmake.in caravel-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/caravel)
write_basic_package_version_file(caravel-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/caravel-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/caravel-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/caravel)
