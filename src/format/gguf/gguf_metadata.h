#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "format/byte_reader.h"

namespace caravel::format {

/// The types that a metadata value can have, by GGUF's numbers.
enum class GgufType : uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64
};

/// An array where it lies in the file. It was walked once when it was read: all of its entries are there.
struct GgufArray {
  GgufType type = GgufType::kUint8;  // what the entries are; never kArray
  uint64_t count = 0;
  std::span<const std::byte> data;

  /// Throw FormatError where the entries are of another kind; `key` is for the message.
  std::vector<std::string_view> strings(std::string_view key) const;
  std::vector<double> numbers(std::string_view key) const;  // integers and floats
};

using GgufValue = std::variant<bool, int64_t, uint64_t, double, std::string_view, GgufArray>;

/// The key-value part of a GGUF file. Points into the file's bytes. Immutable: any thread may read.
class GgufMetadata {
 public:
  /// Reads `count` pairs. Throws FormatError (truncated, an unknown type, a key twice, text that is not UTF-8),
  /// Unsupported (arrays of arrays).
  static GgufMetadata read(ByteReader& reader, uint64_t count);

  /// nullptr when there is none.
  const GgufValue* find(std::string_view key) const;

  /// The value as one kind, where there is one. Throw FormatError, which names the key, where it is another kind.
  std::optional<std::string_view> text(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;    // an integer or a float
  std::optional<int64_t> integer(std::string_view key) const;  // within int64
  const GgufArray* array(std::string_view key) const;          // nullptr when there is none

  /// A flat object; arrays of more than 1,024 entries are left out.
  nlohmann::json to_json() const;

 private:
  std::map<std::string_view, GgufValue> values_;
};

}  // namespace caravel::format
