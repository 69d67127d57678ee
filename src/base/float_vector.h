#pragma once

#include <span>
#include <string>
#include <vector>

namespace caravel {

/// The vector of length 1 in the same direction; zeros stay zeros.
std::vector<float> unit_vector(std::vector<float> values);

/// The numbers' bytes, each number's lowest first, on every machine.
std::string little_endian(std::span<const float> values);

}  // namespace caravel
