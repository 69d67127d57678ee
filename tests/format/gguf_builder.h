#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::format {

/// The bytes of a small GGUF file, right or wrong as a test wants it.
class GgufBuilder {
 public:
  uint32_t version = 3;
  uint64_t alignment = 32;

  GgufBuilder& text(std::string_view key, std::string_view value) {
    begin_pair(key, 8);
    append_string(pairs_, value);
    return *this;
  }
  GgufBuilder& u32(std::string_view key, uint32_t value) {
    begin_pair(key, 4);
    append(pairs_, value);
    return *this;
  }
  GgufBuilder& f32(std::string_view key, float value) {
    begin_pair(key, 6);
    append(pairs_, value);
    return *this;
  }
  GgufBuilder& boolean(std::string_view key, bool value) {
    begin_pair(key, 7);
    append(pairs_, static_cast<uint8_t>(value));
    return *this;
  }
  GgufBuilder& texts(std::string_view key, const std::vector<std::string>& values) {
    begin_pair(key, 9);
    append(pairs_, uint32_t{8});
    append(pairs_, static_cast<uint64_t>(values.size()));
    for (const std::string& value : values) append_string(pairs_, value);
    return *this;
  }
  GgufBuilder& i32s(std::string_view key, const std::vector<int32_t>& values) {
    begin_pair(key, 9);
    append(pairs_, uint32_t{5});
    append(pairs_, static_cast<uint64_t>(values.size()));
    for (const int32_t value : values) append(pairs_, value);
    return *this;
  }
  GgufBuilder& f32s(std::string_view key, const std::vector<float>& values) {
    begin_pair(key, 9);
    append(pairs_, uint32_t{6});
    append(pairs_, static_cast<uint64_t>(values.size()));
    for (const float value : values) append(pairs_, value);
    return *this;
  }
  /// A pair whose type and payload are given as they are.
  GgufBuilder& raw(std::string_view key, uint32_t type, std::string_view payload) {
    begin_pair(key, type);
    pairs_ += payload;
    return *this;
  }
  /// `extents` innermost first, as GGUF has them; `offset` into the data.
  GgufBuilder& tensor(std::string_view name, std::vector<uint64_t> extents, uint32_t type, uint64_t offset) {
    append_string(tensors_, name);
    append(tensors_, static_cast<uint32_t>(extents.size()));
    for (const uint64_t extent : extents) append(tensors_, extent);
    append(tensors_, type);
    append(tensors_, offset);
    ++tensor_count_;
    return *this;
  }

  /// The file, with `data_bytes` of data behind the padded header.
  std::string bytes(size_t data_bytes = 0) const {
    std::string out = "GGUF";
    append(out, version);
    append(out, tensor_count_);
    append(out, pair_count_);
    out += pairs_ + tensors_;
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    for (size_t i = 0; i < data_bytes; ++i) out += static_cast<char>(i);
    return out;
  }

 private:
  template <typename T>
  static void append(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  static void append_string(std::string& out, std::string_view text) {
    append(out, static_cast<uint64_t>(text.size()));
    out += text;
  }
  void begin_pair(std::string_view key, uint32_t type) {
    append_string(pairs_, key);
    append(pairs_, type);
    ++pair_count_;
  }

  std::string pairs_;
  std::string tensors_;
  uint64_t pair_count_ = 0;
  uint64_t tensor_count_ = 0;
};

}  // namespace caravel::format
