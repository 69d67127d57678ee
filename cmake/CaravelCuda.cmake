# The CUDA backend. CARAVEL_CUDA: ON, OFF, or AUTO, which is ON where an nvcc is found: $CUDACXX, PATH, /usr/local/cuda,
# or what scripts/install_cuda brought. Sources are compiled by commands of their own, not as a language of CMake's:
# PyPI's packages lack what CMake tries a compiler by, the host part is to be g++'s whatever the rest is compiled with,
# and what ptxas says of each kernel is kept beside the object (FILE.ptxas).
set(CARAVEL_CUDA AUTO CACHE STRING "Build the CUDA backend: ON, OFF or AUTO (where there is an nvcc)")
set_property(CACHE CARAVEL_CUDA PROPERTY STRINGS AUTO ON OFF)

# Kernels are for the GPUs that are here, and for Hopper where there is none.
set(architectures "")
find_program(CARAVEL_NVIDIA_SMI nvidia-smi DOC "Says which GPUs are here")
mark_as_advanced(CARAVEL_NVIDIA_SMI)
if(CARAVEL_NVIDIA_SMI AND NOT DEFINED CARAVEL_CUDA_ARCHITECTURES)
  execute_process(COMMAND ${CARAVEL_NVIDIA_SMI} --query-gpu=compute_cap --format=csv,noheader
    OUTPUT_VARIABLE capabilities ERROR_QUIET)
  string(REGEX MATCHALL "[0-9]+[.][0-9]+" architectures "${capabilities}")
  string(REPLACE "." "" architectures "${architectures}")
  list(FILTER architectures INCLUDE REGEX "^([89]|1[0-9])[0-9]$")  # from sm_80 on
  list(REMOVE_DUPLICATES architectures)
  list(TRANSFORM architectures REPLACE "^90$" "90a")
endif()
if(NOT architectures)
  set(architectures 90a)
endif()
set(CARAVEL_CUDA_ARCHITECTURES "${architectures}" CACHE STRING "GPUs to compile kernels for, as in sm_90a: such as 80;89;90a;100")

set(caravel_cuda FALSE)
if(CARAVEL_CUDA STREQUAL "AUTO" AND CARAVEL_SANITIZE)
  message(STATUS "CUDA: no, with sanitizers")
elseif(CARAVEL_CUDA STREQUAL "AUTO" OR CARAVEL_CUDA)
  set(cache $ENV{CARAVEL_CACHE})
  if(NOT cache AND DEFINED ENV{XDG_CACHE_HOME})
    set(cache $ENV{XDG_CACHE_HOME}/caravel)
  elseif(NOT cache)
    set(cache $ENV{HOME}/.cache/caravel)
  endif()
  find_program(CARAVEL_NVCC_ON_PATH nvcc)
  mark_as_advanced(CARAVEL_NVCC_ON_PATH)
  # The first of version 13: there may be an older one, or a script that stands for one that is gone.
  foreach(nvcc $ENV{CUDACXX} ${CARAVEL_NVCC_ON_PATH} /usr/local/cuda/bin/nvcc ${cache}/cuda/nvidia/cu13/bin/nvcc)
    if(NOT CARAVEL_NVCC AND EXISTS ${nvcc})
      execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE version ERROR_QUIET)
      if(version MATCHES "release 13[.]([0-9]+)")
        set(CARAVEL_NVCC ${nvcc} CACHE FILEPATH "CUDA's compiler")
      endif()
    endif()
  endforeach()
  if(CARAVEL_NVCC)
    # Its folder, through links and scripts that stand for it.
    execute_process(COMMAND ${CARAVEL_NVCC} -dryrun -c x.cu ERROR_VARIABLE dry OUTPUT_QUIET)
    string(REGEX MATCH "_HERE_=([^\n]+)" here "${dry}")
    set(here ${CMAKE_MATCH_1})
    find_path(CARAVEL_CUDA_INCLUDE cuda_runtime_api.h NO_DEFAULT_PATH
      PATHS ${here}/../include ${here}/../targets/${CMAKE_SYSTEM_PROCESSOR}-linux/include)
    find_library(CARAVEL_CUDART cudart_static NO_DEFAULT_PATH
      PATHS ${here}/../lib ${here}/../lib64 ${here}/../targets/${CMAKE_SYSTEM_PROCESSOR}-linux/lib)
    find_program(CARAVEL_CUOBJDUMP cuobjdump HINTS ${here} DOC "Prints machine code, for tests")
    find_program(CARAVEL_CUDA_HOST_COMPILER NAMES g++-12 g++-13 g++-14 g++ DOC "Compiles the host part of CUDA sources")
  endif()
  if(CARAVEL_NVCC AND CARAVEL_CUDA_INCLUDE AND CARAVEL_CUDART AND CARAVEL_CUDA_HOST_COMPILER)
    set(caravel_cuda TRUE)
    message(STATUS "CUDA: ${here}, for sm_${CARAVEL_CUDA_ARCHITECTURES}")
  elseif(NOT CARAVEL_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "CARAVEL_CUDA is ${CARAVEL_CUDA}, and there is no CUDA 13: nvcc is '${CARAVEL_NVCC}', its headers "
      "are '${CARAVEL_CUDA_INCLUDE}', its runtime is '${CARAVEL_CUDART}', its host compiler is '${CARAVEL_CUDA_HOST_COMPILER}'; scripts/install_cuda brings them")
  else()
    message(STATUS "CUDA: no, without an nvcc of CUDA 13 (scripts/install_cuda)")
  endif()
endif()

if(caravel_cuda)
  include(GNUInstallDirs)
  # The runtime is linked into the binary: it finds the driver when it starts, and does without.
  add_library(caravel_cudart INTERFACE)
  target_include_directories(caravel_cudart SYSTEM INTERFACE $<BUILD_INTERFACE:${CARAVEL_CUDA_INCLUDE}>)
  target_link_libraries(caravel_cudart INTERFACE $<BUILD_INTERFACE:${CARAVEL_CUDART}>
    $<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${CMAKE_INSTALL_LIBDIR}/libcudart_static.a> Threads::Threads ${CMAKE_DL_LIBS} rt)
endif()

# caravel_cuda(TARGET FOLDER): the backend's part of a library. Its .cc files are the library's, its .cu files are
# compiled by nvcc; where CUDA is not built, the library is without either.
function(caravel_cuda target folder)
  if(NOT caravel_cuda)
    return()
  endif()
  target_compile_definitions(${target} PRIVATE CARAVEL_CUDA)
  target_link_libraries(${target} PRIVATE caravel_cudart)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cu)
  set(targets "")
  foreach(architecture IN LISTS CARAVEL_CUDA_ARCHITECTURES)
    list(APPEND targets -gencode=arch=compute_${architecture},code=sm_${architecture})
  endforeach()
  set(compile ${CARAVEL_NVCC} -ccbin ${CARAVEL_CUDA_HOST_COMPILER} -std=c++20 -O3 ${targets} -Xptxas -v
    -Xcompiler=-fPIC,-Wall,-Wextra,-Wno-missing-field-initializers -DCARAVEL_CUDA -DFMT_SHARED
    -I${PROJECT_SOURCE_DIR}/src -I${PROJECT_SOURCE_DIR}/include)
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${target}_cuda/${name}.o)
    add_custom_command(OUTPUT ${object} BYPRODUCTS ${object}.ptxas
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/${target}_cuda
      # What ptxas says is for tests; what the compilers say of an error is for people.
      COMMAND sh -c "out=$1; shift; \"$@\" 2>\"$out\" || { cat \"$out\" >&2; exit 1; }; grep -E 'warning|error' \"$out\" >&2 || true" sh
        ${object}.ptxas ${compile} -MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
      DEPENDS ${source} DEPFILE ${object}.d COMMENT "Compiling ${folder}/${name}" VERBATIM)
    target_sources(${target} PRIVATE ${object})
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  endforeach()
endfunction()
