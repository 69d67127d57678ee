#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace caravel {

/// Instruction sets that the CPU kernels are compiled for, slowest first.
enum class Isa : uint8_t { kPortable, kAvx2, kAvx512Vnni, kAvx512Amx };

std::string_view isa_name(Isa isa);  // "portable", "avx2", "avx512vnni", "avx512amx"

/// Those that were built and that this machine can run, slowest first; never empty.
const std::vector<Isa>& available_isas();

/// `name` as isa_name spells it, or "auto" for the fastest. Throws InvalidArgument, naming those there are.
Isa choose_isa(std::string_view name);

}  // namespace caravel
