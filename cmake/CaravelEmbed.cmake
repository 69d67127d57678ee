# caravel_embed(TARGET NAMESPACE HEADER file...): files as bytes in a library. HEADER, which the caller writes, declares
# `std::span<const EmbeddedFile> embedded_files();` in NAMESPACE; this makes the source that defines it, whenever a file
# changes. As a script (cmake -DOUTPUT=... -DNAMESPACE=... -DHEADER=... -DFILES=a;b -P) it writes that source.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(caravel_embed_script ${CMAKE_CURRENT_LIST_FILE})
  function(caravel_embed target namespace header)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}_files.cc)
    add_custom_command(OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DNAMESPACE=${namespace} -DHEADER=${header} "-DFILES=${ARGN}"
        -P ${caravel_embed_script}
      DEPENDS ${ARGN} ${caravel_embed_script} COMMENT "Embedding the files of ${target}" VERBATIM)
    target_sources(${target} PRIVATE ${output})
  endfunction()
  return()
endif()

set(arrays "")
set(table "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "[^A-Za-z0-9]" "_" identifier ${name})
  string(APPEND arrays "constexpr unsigned char k_${identifier}[] = {${bytes}};\n")
  string(APPEND table "    {\"${name}\", view(k_${identifier})},\n")
endforeach()

file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [=[
// Made by CaravelEmbed.cmake.
#include "@HEADER@"

#include <cstddef>

namespace @NAMESPACE@ {
namespace {

template <size_t n>
std::string_view view(const unsigned char (&bytes)[n]) {
  return {reinterpret_cast<const char*>(bytes), n};
}

@arrays@
}  // namespace

std::span<const EmbeddedFile> embedded_files() {
  static const EmbeddedFile kFiles[] = {
@table@  };
  return kFiles;
}

}  // namespace @NAMESPACE@
]=])
