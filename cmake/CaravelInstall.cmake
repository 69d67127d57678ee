# `cmake --install`: the binary with its manual page and completions, the worlds that it finds beside itself, the static
# libraries, the public headers, and a package file, so that
#   find_package(caravel REQUIRED)
#   target_link_libraries(mine PRIVATE caravel::caravel)
# builds against caravel/engine.h.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

get_property(modules GLOBAL PROPERTY CARAVEL_MODULES)
# Not the server and the commands: they are the binary's.
list(FILTER modules EXCLUDE REGEX "^caravel_(cli|server|http|report|nuggets|store|voyager|sandbox|mini|minecraft)")
foreach(module IN LISTS modules caravel_options)
  string(REPLACE caravel_ "" name ${module})
  set_target_properties(${module} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS caravel RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(caravel_cuda)
  list(APPEND modules caravel_cudart)
  set_target_properties(caravel_cudart PROPERTIES EXPORT_NAME cudart)
  install(FILES ${CARAVEL_CUDART} DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME libcudart_static.a)
endif()
# With their packages, where those were installed.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/worlds DESTINATION ${CMAKE_INSTALL_DATADIR}/caravel USE_SOURCE_PERMISSIONS
  PATTERN minecraft/test EXCLUDE)
install(TARGETS ${modules} caravel_options EXPORT caravel-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT caravel-targets NAMESPACE caravel:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/caravel)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/caravel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/caravel-config.cmake.in caravel-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/caravel)
write_basic_package_version_file(caravel-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/caravel-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/caravel-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/caravel)

# What the binary says of itself: caravel_says(FILE DESTINATION NAME argument...) installs it as NAME.
set(said ${CMAKE_CURRENT_BINARY_DIR}/share)
file(MAKE_DIRECTORY ${said})
function(caravel_says file destination name)
  add_custom_command(OUTPUT ${said}/${file}
    COMMAND sh -c "out=$1; shift; \"$@\" >\"$out\"" sh ${said}/${file} $<TARGET_FILE:caravel> ${ARGN}
    DEPENDS caravel COMMENT "Writing ${file}" VERBATIM)
  install(FILES ${said}/${file} DESTINATION ${destination} RENAME ${name})
endfunction()
caravel_says(caravel.1 ${CMAKE_INSTALL_MANDIR}/man1 caravel.1 man)
caravel_says(caravel.bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions caravel completion bash)
caravel_says(caravel.zsh ${CMAKE_INSTALL_DATADIR}/zsh/site-functions _caravel completion zsh)
caravel_says(caravel.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d caravel.fish completion fish)
add_custom_target(caravel_share ALL
  DEPENDS ${said}/caravel.1 ${said}/caravel.bash ${said}/caravel.zsh ${said}/caravel.fish)
