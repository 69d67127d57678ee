# The pages as one C++ file. As a script (cmake -DOUTPUT=assets.cc -DFILES=a;b -P embed.cmake) it writes that file;
# included by src/CMakeLists.txt it makes the target do so whenever a page changes.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  file(GLOB web_pages CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/pages/*)
  set(web_assets ${CMAKE_CURRENT_BINARY_DIR}/server/web/assets.cc)
  add_custom_command(OUTPUT ${web_assets}
    COMMAND ${CMAKE_COMMAND} "-DOUTPUT=${web_assets}" "-DFILES=${web_pages}" -P ${CMAKE_CURRENT_LIST_FILE}
    DEPENDS ${web_pages} ${CMAKE_CURRENT_LIST_FILE} COMMENT "Embedding the pages" VERBATIM)
  target_sources(caravel_server_web PRIVATE ${web_assets})
  return()
endif()

set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")

set(arrays "")
set(table "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  get_filename_component(stem ${file} NAME_WE)
  string(REGEX REPLACE ".*\\." "" extension ${name})
  if(NOT DEFINED type_${extension})
    message(FATAL_ERROR "${name}: no content type for .${extension}; add it to embed.cmake")
  endif()
  if(name STREQUAL "chat.html")
    set(path "/")
  elseif(extension STREQUAL "html")
    set(path "/${stem}")
  else()
    set(path "/web/${name}")
  endif()
  file(READ ${file} bytes HEX)
  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "[^A-Za-z0-9]" "_" identifier ${name})
  string(APPEND arrays "constexpr unsigned char k_${identifier}[] = {${bytes}};\n")
  string(APPEND table
    "    {\"${path}\", {\"${type_${extension}}\", view(k_${identifier}), \"\\\"${hash}\\\"\"}},\n")
endforeach()

file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [=[
// Made by embed.cmake.
#include "server/web/assets.h"

#include <cstddef>

namespace caravel::server::web {
namespace {

template <size_t n>
std::string_view view(const unsigned char (&bytes)[n]) {
  return {reinterpret_cast<const char*>(bytes), n};
}

@arrays@
struct Entry {
  std::string_view path;
  Asset asset;
};

}  // namespace

const Asset* find_asset(std::string_view path) {
  static const Entry kEntries[] = {
@table@  };
  for (const Entry& entry : kEntries) {
    if (entry.path == path) return &entry.asset;
  }
  return nullptr;
}

}  // namespace caravel::server::web
]=])
