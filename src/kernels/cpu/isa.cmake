# One source per CPU kernel (src/kernels/cpu/isa/*.cc), compiled once per instruction set into the namespace
# CARAVEL_ISA and chosen once at start (kernels/cpu/dispatch.h). What the sources may use they learn from the compiler's
# own macros (__AVX2__, __AVX512VNNI__, __AMX_INT8__). No inline function that other files share may be used in these
# sources: the linker would keep one copy, perhaps one the machine cannot run.
file(GLOB caravel_isa_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/kernels/cpu/isa/*.cc)
set(caravel_isas portable)
set(caravel_isa_flags_portable "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND caravel_isas avx2 avx512vnni avx512amx)
  set(caravel_isa_flags_avx2 -mavx2 -mfma -mf16c)
  set(caravel_isa_flags_avx512vnni ${caravel_isa_flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
    -mprefer-vector-width=512)
  set(caravel_isa_flags_avx512amx ${caravel_isa_flags_avx512vnni} -mamx-tile -mamx-int8)
endif()
foreach(isa IN LISTS caravel_isas)
  if(caravel_isa_sources)
    add_library(caravel_kernels_${isa} OBJECT ${caravel_isa_sources})
    set_target_properties(caravel_kernels_${isa} PROPERTIES UNITY_BUILD OFF)  # few and long: all processors share them
    target_compile_definitions(caravel_kernels_${isa} PRIVATE CARAVEL_ISA=${isa})
    # Vectors pass among inlined functions alone, so their ABI is of no concern; GCC 12 takes the undefined operands
    # inside its own intrinsics for uninitialized variables.
    target_compile_options(caravel_kernels_${isa} PRIVATE -O3 -Wno-psabi ${caravel_isa_flags_${isa}}
      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized$<SEMICOLON>-Wno-uninitialized>)
    target_link_libraries(caravel_kernels_${isa} PRIVATE caravel_options caravel_base)
    target_sources(caravel_kernels PRIVATE $<TARGET_OBJECTS:caravel_kernels_${isa}>)
  endif()
endforeach()
