#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace caravel {

enum class CpuIsa : uint8_t;  // caravel/config.h

/// Instruction sets that the CPU kernels are compiled for, slowest first.
enum class Isa : uint8_t { kPortable, kAvx2, kAvx512Vnni, kAvx512Amx };

std::string_view isa_name(Isa isa);  // "portable", "avx2", "avx512vnni", "avx512amx"

/// Those that were built and that this machine can run, slowest first; never empty.
const std::vector<Isa>& available_isas();

/// What a configuration asks for; kAuto is the fastest. Throws InvalidArgument where this machine cannot run it, naming
/// those that it can.
Isa choose_isa(CpuIsa asked);

}  // namespace caravel
