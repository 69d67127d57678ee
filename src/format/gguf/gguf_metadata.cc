#include "format/gguf/gguf_metadata.h"

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/printable.h"
#include "base/utf8.h"

namespace caravel::format {
namespace {

constexpr uint64_t kLongestArrayInJson = 1024;
constexpr size_t kSmallestPair = 8 + 4 + 1;  // an empty key's length, the type, a byte

// Bytes of one value; 0 for strings and arrays, whose length the file says.
size_t fixed_size(GgufType type) {
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kInt8:
    case GgufType::kBool:
      return 1;
    case GgufType::kUint16:
    case GgufType::kInt16:
      return 2;
    case GgufType::kUint32:
    case GgufType::kInt32:
    case GgufType::kFloat32:
      return 4;
    case GgufType::kUint64:
    case GgufType::kInt64:
    case GgufType::kFloat64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      return 0;
  }
  return 0;
}

std::string_view read_string(ByteReader& reader, std::string_view what) {
  const auto length = reader.read<uint64_t>(what);
  const auto bytes = reader.take(length, what);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

GgufType read_type(ByteReader& reader, std::string_view key) {
  const auto number = reader.read<uint32_t>("a metadata type");
  if (number > static_cast<uint32_t>(GgufType::kFloat64)) {
    throw fail<FormatError>("{}: metadata {} has the unknown type {}; GGUF knows 0 to 12", reader.path(),
                            printable(key), number);
  }
  return static_cast<GgufType>(number);
}

GgufArray read_array(ByteReader& reader, std::string_view key) {
  GgufArray array;
  array.type = read_type(reader, key);
  if (array.type == GgufType::kArray) {
    throw fail<Unsupported>("{}: metadata {} is an array of arrays, which Caravel does not read", reader.path(),
                            printable(key));
  }
  array.count = reader.read<uint64_t>("an array's length");
  const size_t least = array.type == GgufType::kString ? sizeof(uint64_t) : fixed_size(array.type);
  if (array.count > reader.remaining() / least) {
    throw fail<FormatError>(
        "{}: metadata {} claims {} entries, but only {} bytes are left: the file is truncated or "
        "corrupt",
        reader.path(), printable(key), array.count, reader.remaining());
  }
  if (array.type != GgufType::kString) {
    array.data = reader.take(array.count * least, "an array");
    return array;
  }
  ByteReader walk = reader;
  for (uint64_t i = 0; i < array.count; ++i) read_string(walk, "a string in an array");
  array.data = reader.take(walk.position() - reader.position(), "an array of strings");
  return array;
}

GgufValue read_scalar(ByteReader& reader, GgufType type) {
  constexpr std::string_view kWhat = "a metadata value";
  switch (type) {
    case GgufType::kUint8:
      return uint64_t{reader.read<uint8_t>(kWhat)};
    case GgufType::kUint16:
      return uint64_t{reader.read<uint16_t>(kWhat)};
    case GgufType::kUint32:
      return uint64_t{reader.read<uint32_t>(kWhat)};
    case GgufType::kUint64:
      return reader.read<uint64_t>(kWhat);
    case GgufType::kInt8:
      return int64_t{reader.read<int8_t>(kWhat)};
    case GgufType::kInt16:
      return int64_t{reader.read<int16_t>(kWhat)};
    case GgufType::kInt32:
      return int64_t{reader.read<int32_t>(kWhat)};
    case GgufType::kInt64:
      return reader.read<int64_t>(kWhat);
    case GgufType::kFloat32:
      return double{reader.read<float>(kWhat)};
    case GgufType::kFloat64:
      return reader.read<double>(kWhat);
    case GgufType::kBool:
      return reader.read<uint8_t>(kWhat) != 0;
    case GgufType::kString:
      return read_string(reader, kWhat);
    case GgufType::kArray:
      break;
  }
  return false;
}

[[noreturn]] void throw_wrong_kind(std::string_view key, std::string_view wanted) {
  throw fail<FormatError>("GGUF metadata {} should be {}", printable(key), wanted);
}

template <typename T>
std::vector<double> to_doubles(std::span<const std::byte> data, uint64_t count) {
  std::vector<double> values(count);
  for (uint64_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof value, sizeof value);
    values[i] = static_cast<double>(value);
  }
  return values;
}

nlohmann::json array_to_json(const GgufArray& array, std::string_view key) {
  nlohmann::json list = nlohmann::json::array();
  if (array.type == GgufType::kString) {
    for (const std::string_view text : array.strings(key)) {
      if (!is_valid_utf8(text)) throw_wrong_kind(key, "UTF-8 texts");
      list.push_back(text);
    }
    return list;
  }
  static const std::string kNoPath;
  ByteReader reader(array.data, kNoPath);
  for (uint64_t i = 0; i < array.count; ++i) {
    std::visit(
        [&](const auto& value) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, GgufArray>) list.push_back(value);
        },
        read_scalar(reader, array.type));
  }
  return list;
}

}  // namespace

std::vector<std::string_view> GgufArray::strings(std::string_view key) const {
  if (type != GgufType::kString) throw_wrong_kind(key, "an array of texts");
  std::vector<std::string_view> texts;
  texts.reserve(count);
  static const std::string kNoPath;
  ByteReader reader(data, kNoPath);
  for (uint64_t i = 0; i < count; ++i) texts.push_back(read_string(reader, key));
  return texts;
}

std::vector<double> GgufArray::numbers(std::string_view key) const {
  switch (type) {
    case GgufType::kUint8:
      return to_doubles<uint8_t>(data, count);
    case GgufType::kInt8:
      return to_doubles<int8_t>(data, count);
    case GgufType::kUint16:
      return to_doubles<uint16_t>(data, count);
    case GgufType::kInt16:
      return to_doubles<int16_t>(data, count);
    case GgufType::kUint32:
      return to_doubles<uint32_t>(data, count);
    case GgufType::kInt32:
      return to_doubles<int32_t>(data, count);
    case GgufType::kUint64:
      return to_doubles<uint64_t>(data, count);
    case GgufType::kInt64:
      return to_doubles<int64_t>(data, count);
    case GgufType::kFloat32:
      return to_doubles<float>(data, count);
    case GgufType::kFloat64:
      return to_doubles<double>(data, count);
    case GgufType::kBool:
    case GgufType::kString:
    case GgufType::kArray:
      break;
  }
  throw_wrong_kind(key, "an array of numbers");
}

GgufMetadata GgufMetadata::read(ByteReader& reader, uint64_t count) {
  if (count > reader.remaining() / kSmallestPair) {
    throw fail<FormatError>(
        "{}: the header claims {} metadata pairs, more than {} bytes can hold: the file is truncated "
        "or corrupt",
        reader.path(), count, reader.remaining());
  }
  GgufMetadata metadata;
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view key = read_string(reader, "a metadata key");
    if (!is_valid_utf8(key)) throw fail<FormatError>("{}: metadata key {} is not UTF-8", reader.path(), printable(key));
    const GgufType type = read_type(reader, key);
    GgufValue value = type == GgufType::kArray ? GgufValue(read_array(reader, key)) : read_scalar(reader, type);
    if (const auto* text = std::get_if<std::string_view>(&value); text != nullptr && !is_valid_utf8(*text)) {
      throw fail<FormatError>("{}: metadata {} is not UTF-8", reader.path(), printable(key));
    }
    if (!metadata.values_.emplace(key, value).second) {
      throw fail<FormatError>("{}: metadata {} is there twice", reader.path(), printable(key));
    }
  }
  return metadata;
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto place = values_.find(key);
  return place == values_.end() ? nullptr : &place->second;
}

std::optional<std::string_view> GgufMetadata::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = std::get_if<std::string_view>(value)) return *text;
  throw_wrong_kind(key, "a text");
}

std::optional<bool> GgufMetadata::boolean(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* flag = std::get_if<bool>(value)) return *flag;
  throw_wrong_kind(key, "true or false");
}

std::optional<double> GgufMetadata::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = std::get_if<double>(value)) return *number;
  if (const auto* number = std::get_if<int64_t>(value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<uint64_t>(value)) return static_cast<double>(*number);
  throw_wrong_kind(key, "a number");
}

std::optional<int64_t> GgufMetadata::integer(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = std::get_if<int64_t>(value)) return *number;
  if (const auto* number = std::get_if<uint64_t>(value); number != nullptr && *number <= INT64_MAX) {
    return static_cast<int64_t>(*number);
  }
  throw_wrong_kind(key, "an integer");
}

const GgufArray* GgufMetadata::array(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return nullptr;
  if (const auto* array = std::get_if<GgufArray>(value)) return array;
  throw_wrong_kind(key, "an array");
}

nlohmann::json GgufMetadata::to_json() const {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [key, value] : values_) {
    const std::string name(key);
    std::visit(
        [&](const auto& held) {
          if constexpr (std::is_same_v<std::decay_t<decltype(held)>, GgufArray>) {
            if (held.count <= kLongestArrayInJson) object[name] = array_to_json(held, name);
          } else {
            object[name] = held;
          }
        },
        value);
  }
  return object;
}

}  // namespace caravel::format
