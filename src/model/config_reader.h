#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "model/arch/architecture.h"

namespace caravel::model {

// Far above any model there is; low enough that no product of two of them overflows.
inline constexpr int kMaxLayers = 4096;
inline constexpr int kMaxWidth = 1 << 20;
inline constexpr int kMaxHeads = 4096;
inline constexpr int kMaxVocabulary = 1 << 24;
inline constexpr int kMaxPosition = 1 << 30;

/// Reads numbers of a model's configuration by an architecture's keys. Every method throws FormatError, which names the
/// file, the key and the value, where a key is missing, has another type or is out of range.
class ConfigReader {
 public:
  ConfigReader(const format::WeightSource& source, const Architecture& architecture)
      : source_(source), architecture_(architecture) {}

  const format::WeightSource& source() const { return source_; }
  format::Convention convention() const { return source_.convention(); }

  /// As the file spells it, prefix included.
  std::string full_key(std::string_view key) const;
  /// nullptr when it is absent or the convention does not have it. A null is a value.
  const nlohmann::json* find(std::string_view key) const;

  /// Absent: the fallback, which is not checked against the range. null: 0 where the range holds it, else as absent.
  /// A key that the convention does not have: the fallback, or 0.
  int64_t integer(const Key& key, int64_t min, int64_t max) const;
  double number(const Key& key, double min, double max) const;
  /// Absent or null: whether the fallback is not 0; one that the convention does not have: that it is not 0, or false.
  bool flag(const Key& key) const;

  // Values of one kind; none where it is absent or null.

  std::optional<bool> truth(std::string_view key) const;
  const std::string* text(std::string_view key) const;
  const nlohmann::json* list(std::string_view key) const;
  const nlohmann::json* object(std::string_view key) const;

  // The same inside `object`, which `where` names in messages.

  std::optional<bool> truth_in(const nlohmann::json& object, std::string_view where, std::string_view key) const;
  const std::string* text_in(const nlohmann::json& object, std::string_view where, std::string_view key) const;
  const nlohmann::json* object_in(const nlohmann::json& object, std::string_view where, std::string_view key) const;

  /// A value inside `object`, which `where` names in messages ("rope_scaling"). Absent or null: the fallback.
  double number_in(const nlohmann::json& object, std::string_view where, const char* key, double fallback, double min,
                   double max) const;

  double checked_number(const nlohmann::json& value, std::string_view name, double min, double max) const;
  int64_t checked_integer(const nlohmann::json& value, std::string_view name, int64_t min, int64_t max) const;

  /// A value for a message, cut to a line's part.
  static std::string shown(const nlohmann::json& value);

 private:
  /// By either of its names.
  const nlohmann::json* find(const Spelling& spelling) const;
  double fallback(const Spelling& spelling) const;
  /// Throws FormatError unless it `is` what it must be, in words; nullptr: absent or null.
  const nlohmann::json* checked(const nlohmann::json* value, const std::string& name, bool (*is)(const nlohmann::json&),
                                const char* wanted) const;

  const format::WeightSource& source_;
  const Architecture& architecture_;
};

/// What people call the model: by its files, else the file or folder itself.
std::string model_name(const format::WeightSource& source);

/// Throws Unsupported, which names those there are.
kernels::Activation read_activation(const ConfigReader& reader, const Architecture& architecture);

}  // namespace caravel::model
