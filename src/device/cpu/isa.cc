#include "device/cpu/isa.h"

#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "base/error.h"
#include "caravel/config.h"

namespace caravel {

#if defined(__x86_64__)
namespace {

/// AMX with its tiles of 8-bit integers. Their registers are large: Linux grants a process their use when
/// it asks (Documentation/arch/x86/xstate.rst).
bool may_use_amx() {
  constexpr unsigned kTile = 1U << 24, kInt8 = 1U << 25;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (~d & (kTile | kInt8)) != 0) return false;
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace
#endif

std::string_view isa_name(Isa isa) {
  static constexpr std::string_view kNames[] = {"portable", "avx2", "avx512vnni", "avx512amx"};
  return kNames[static_cast<int>(isa)];
}

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> isas = [] {
    std::vector<Isa> found = {Isa::kPortable};
#if defined(__x86_64__)
    __builtin_cpu_init();
    // F16C is used too and is older than AVX2; clang 14 cannot ask for it by name.
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      found.push_back(Isa::kAvx2);
      if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
          __builtin_cpu_supports("avx512vnni")) {
        found.push_back(Isa::kAvx512Vnni);
        if (may_use_amx()) found.push_back(Isa::kAvx512Amx);
      }
    }
#endif
    return found;
  }();
  return isas;
}

Isa choose_isa(CpuIsa asked) {
  if (asked == CpuIsa::kAuto) return available_isas().back();
  static_assert(static_cast<int>(CpuIsa::kPortable) == 1 && static_cast<int>(CpuIsa::kAvx512Amx) == 4);
  const int wanted = static_cast<int>(asked) - 1;  // Isa's, in the same order
  std::string known;
  for (const Isa isa : available_isas()) {
    if (static_cast<int>(isa) == wanted) return isa;
    known += (known.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  const std::string_view name = wanted <= static_cast<int>(Isa::kAvx512Amx) ? isa_name(static_cast<Isa>(wanted)) : "?";
  throw fail<InvalidArgument>("instruction set '{}' is not available here; there are: auto, {}", name, known);
}

}  // namespace caravel
