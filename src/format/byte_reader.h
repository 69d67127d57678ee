#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"

namespace caravel::format {

/// Walks over little-endian bytes that nobody vouches for: nothing is read before it is known to be there. One thread.
class ByteReader {
 public:
  /// `path` is for messages; both outlive the reader.
  ByteReader(std::span<const std::byte> bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  const std::string& path() const { return path_; }

  /// The next `count` bytes. Throws FormatError where the file has fewer; `what` is what they were to be.
  std::span<const std::byte> take(uint64_t count, std::string_view what) {
    if (count > remaining()) {
      throw fail<FormatError>(
          "{}: {} at byte {} takes {} bytes, but only {} are left: the file is truncated or corrupt", path_, what,
          position_, count, remaining());
    }
    const auto taken = bytes_.subspan(position_, static_cast<size_t>(count));
    position_ += taken.size();
    return taken;
  }

  template <typename T>
  T read(std::string_view what) {
    static_assert(std::is_arithmetic_v<T> && std::endian::native == std::endian::little);
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& path_;
  size_t position_ = 0;
};

}  // namespace caravel::format
