#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace caravel::report {

/// A picture as a PNG file's bytes, sRGB, 8 bits each: the same for the same picture, by one version of zlib.
/// rgb: [height, width, 3]. Throws InvalidArgument: no pixels, more than 16,384 either way, another number of bytes.
std::string png(int width, int height, std::span<const uint8_t> rgb);

}  // namespace caravel::report
