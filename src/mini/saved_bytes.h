#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace caravel::mini {

/// Whole numbers as bytes of seven bits, the low ones first; a sign in the lowest bit.
class SavedBytes {
 public:
  void unsigned_number(uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>(value | 128);
    bytes_ += static_cast<char>(value);
  }
  void number(int64_t value) {
    unsigned_number((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }
  void text(std::string_view text) { bytes_ += text; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Throws FormatError where the bytes end too early or a number is out of its bounds.
class SavedReader {
 public:
  explicit SavedReader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t unsigned_number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) throw fail<FormatError>("a saved world ends in the middle, after {} bytes", at_);
      const auto byte = static_cast<uint8_t>(bytes_[at_++]);
      value |= uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
    throw fail<FormatError>("a saved world has a number of more than 64 bits before byte {}", at_);
  }
  int64_t number(int64_t least, int64_t most) {
    const uint64_t raw = unsigned_number();
    const auto value = static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
    if (value < least || value > most)
      throw fail<FormatError>("a saved world has {} before byte {}, where {} to {} are possible", value, at_, least,
                              most);
    return value;
  }
  template <typename T>
  T number_as(int64_t least, int64_t most) {
    return static_cast<T>(number(least, most));
  }
  /// How many of something follow, each of at least a byte.
  size_t size() {
    const uint64_t size = unsigned_number();
    if (size > bytes_.size() - at_)
      throw fail<FormatError>("a saved world promises {} parts in its last {} bytes", size, bytes_.size() - at_);
    return size;
  }
  bool skip(std::string_view text) {
    if (!bytes_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  size_t left() const { return bytes_.size() - at_; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

}  // namespace caravel::mini
