#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace caravel {

/// A whole number of bytes as people write it: "512MiB", "2 GB", "1g", "100b", of powers of 1,024 whatever the
/// spelling. unit: what a bare number counts, in bytes. Nothing where the text is anything else, or too large.
std::optional<int64_t> parse_byte_size(std::string_view text, int64_t unit = 1);

}  // namespace caravel
