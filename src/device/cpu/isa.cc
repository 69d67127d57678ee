#include "device/cpu/isa.h"

#include <string>

#include "base/error.h"

namespace caravel {

std::string_view isa_name(Isa isa) {
  static constexpr std::string_view kNames[] = {"portable", "avx2", "avx512vnni"};
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
      }
    }
#endif
    return found;
  }();
  return isas;
}

Isa choose_isa(std::string_view name) {
  if (name == "auto") return available_isas().back();
  std::string known;
  for (const Isa isa : available_isas()) {
    if (isa_name(isa) == name) return isa;
    known += (known.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  throw fail<InvalidArgument>("instruction set '{}' is not available here; there are: auto, {}", name, known);
}

}  // namespace caravel
