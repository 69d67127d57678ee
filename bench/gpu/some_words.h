#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace caravel {

/// Words of 16 bits around one, as f16 and as bf16, of which the bits of `random` are random: what a bench multiplies,
/// since zeros would take less power and run faster.
inline std::vector<std::byte> some_words(size_t bytes, uint32_t random) {
  std::vector<std::byte> words(bytes);
  uint32_t state = 12345;
  for (size_t i = 0; i + 2 <= bytes; i += 2) {
    state = state * 1664525U + 1013904223U;
    const auto word = static_cast<uint16_t>((state >> 16 & random) | 0x3c00U);
    std::memcpy(words.data() + i, &word, sizeof(word));
  }
  return words;
}

}  // namespace caravel
