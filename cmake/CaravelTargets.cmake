# One static library per folder of src/, so that the link list is the graph of docs/architecture.md.

add_library(caravel_options INTERFACE)
target_compile_features(caravel_options INTERFACE cxx_std_20)
target_compile_options(caravel_options INTERFACE
  $<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wno-missing-field-initializers>)
# Contraction would let the compiler fuse a*b+c in one place and not in another: "one arithmetic" forbids it;
# kernels that want a fused multiply-add say so.
target_compile_options(caravel_options INTERFACE $<BUILD_INTERFACE:-ffp-contract=off>)
# g++ 12 sees overlapping copies in std::string where there are none (GCC bug 105651).
target_compile_options(caravel_options INTERFACE $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>>)
target_include_directories(caravel_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
  $<INSTALL_INTERFACE:include>)
if(CARAVEL_SANITIZE)
  target_compile_options(caravel_options INTERFACE -fsanitize=${CARAVEL_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=undefined
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  target_link_options(caravel_options INTERFACE -fsanitize=${CARAVEL_SANITIZE})
endif()

# Files read the same headers and instantiate the same templates. So the sources of a target are compiled eight to a
# unit (CMAKE_UNITY_BUILD, CMakePresets.json), where two files must not define one name in their anonymous namespaces,
# and most targets share one precompiled header: base's.
# The presets debug and fuzz compile each file by itself, the latter without that header, which shows an include that is
# missing.
set(caravel_large_headers <algorithm> <chrono> <functional> <map> <memory> <optional> <span> <string> <string_view>
  <unordered_map> <variant> <vector> <fmt/format.h> <fmt/ranges.h> <spdlog/spdlog.h> <nlohmann/json.hpp>)

# caravel_module(NAME [DEPS folder...] [LIBS external...] [EXCLUDE path...] [PRECOMPILE header...])
# Target `caravel_NAME` from every .cc of src/NAME, sub-folders included, but what EXCLUDE names. A NAME or dependency
# may be a sub-folder, as in server/openai: its target is caravel_server_openai. PRECOMPILE: large headers of its own.
function(caravel_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS;EXCLUDE;PRECOMPILE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  foreach(path IN LISTS ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "/src/${name}/${path}(/|$)")
  endforeach()
  string(REPLACE / _ target ${name})
  if(sources)
    add_library(caravel_${target} STATIC ${sources})
    set(scope PUBLIC)
    if(name STREQUAL base OR ARG_PRECOMPILE)
      target_precompile_headers(caravel_${target} PRIVATE ${caravel_large_headers} ${ARG_PRECOMPILE})
    else()
      target_precompile_headers(caravel_${target} REUSE_FROM caravel_base)
    endif()
  else()
    add_library(caravel_${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(caravel::${target} ALIAS caravel_${target})
  target_link_libraries(caravel_${target} ${scope} caravel_options ${ARG_LIBS})
  foreach(dep IN LISTS ARG_DEPS)
    string(REPLACE / _ dep ${dep})
    target_link_libraries(caravel_${target} ${scope} caravel_${dep})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY CARAVEL_MODULES caravel_${target})
endfunction()

# caravel_tests(FOLDER [DEPS folder...] [LIBS external...]): one GoogleTest program FOLDER_test (server_openai_test for
# server/openai), from every *_test.cc in it.
function(caravel_tests name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  if(NOT sources)
    return()
  endif()
  string(REPLACE / _ program ${name}_test)
  add_executable(${program} ${sources})
  foreach(dep IN LISTS ARG_DEPS)
    string(REPLACE / _ dep ${dep})
    target_link_libraries(${program} PRIVATE caravel_${dep})
  endforeach()
  target_link_libraries(${program} PRIVATE ${ARG_LIBS} caravel_options test_fixtures GTest::gtest GTest::gmock GTest::gtest_main)
  if(name STREQUAL base)
    target_precompile_headers(${program} PRIVATE ${caravel_large_headers} <gmock/gmock.h> <gtest/gtest.h>)
  else()
    target_precompile_headers(${program} REUSE_FROM base_test)
  endif()
  gtest_discover_tests(${program} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
endfunction()
