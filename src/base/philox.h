#pragma once

#include <array>
#include <cstdint>

namespace caravel {

/// Philox 4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11): 128 random bits
/// that are a function of counter and key alone.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Uniform in [0, 1), 53 bits: of one place (`position`) in one sequence (`sequence`) of a `seed`. So a seeded answer
/// does not depend on what else is in the batch, nor on preemption, and a seeded choice not on threads.
double uniform(uint64_t seed, uint32_t sequence, uint64_t position);

}  // namespace caravel
