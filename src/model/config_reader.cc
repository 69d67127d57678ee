#include "model/config_reader.h"

#include <filesystem>
#include <limits>
#include <utility>

#include "base/error.h"

namespace caravel::model {
namespace {

constexpr const char* kTruth = "true or false";
constexpr const char* kText = "a text";
constexpr const char* kObject = "an object";

bool is_truth(const nlohmann::json& value) { return value.is_boolean(); }
bool is_text(const nlohmann::json& value) { return value.is_string(); }
bool is_list(const nlohmann::json& value) { return value.is_array(); }
bool is_object(const nlohmann::json& value) { return value.is_object(); }

const nlohmann::json* member(const nlohmann::json& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

std::string ConfigReader::shown(const nlohmann::json& value) {
  constexpr size_t kLongest = 60;
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kLongest) text.replace(kLongest, std::string::npos, "...");
  return text;
}

std::string ConfigReader::full_key(std::string_view key) const {
  if (convention() == format::Convention::kGguf) return fmt::format("{}.{}", architecture_.gguf_name, key);
  return std::string(key);
}

const nlohmann::json* ConfigReader::find(std::string_view key) const {
  if (key.empty()) return nullptr;
  const nlohmann::json& config = source_.config();
  const auto found = config.find(full_key(key));
  return found == config.end() ? nullptr : &*found;
}

const nlohmann::json* ConfigReader::find(const Spelling& spelling) const {
  const nlohmann::json* value = find(spelling.key);
  const nlohmann::json* also = find(spelling.also);
  if (value == nullptr) return also;
  // A GGUF file's two may be of different things, of which the first is meant.
  const bool same = convention() == format::Convention::kHuggingFace;
  if (same && also != nullptr && !value->is_null() && !also->is_null() && *value != *also) {
    throw fail<FormatError>("{}: {} is {} and {} is {}, which are two names of one thing: one of them must go",
                            source_.path(), spelling.key, shown(*value), spelling.also, shown(*also));
  }
  return value;
}

int64_t ConfigReader::checked_integer(const nlohmann::json& value, std::string_view name, int64_t min,
                                      int64_t max) const {
  const bool too_large = value.is_number_unsigned() && value.get<uint64_t>() > std::numeric_limits<int64_t>::max();
  if (!value.is_number_integer() || too_large || value.get<int64_t>() < min || value.get<int64_t>() > max) {
    throw fail<FormatError>("{}: {} is {}; it must be a whole number from {} to {}", source_.path(), name, shown(value),
                            min, max);
  }
  return value.get<int64_t>();
}

double ConfigReader::checked_number(const nlohmann::json& value, std::string_view name, double min, double max) const {
  // Written so that a NaN fails.
  if (!value.is_number() || !(value.get<double>() >= min && value.get<double>() <= max)) {
    throw fail<FormatError>("{}: {} is {}; it must be a number from {} to {}", source_.path(), name, shown(value), min,
                            max);
  }
  return value.get<double>();
}

double ConfigReader::fallback(const Spelling& spelling) const {
  if (!spelling.fallback) throw fail<FormatError>("{}: {} is missing", source_.path(), full_key(spelling.key));
  return *spelling.fallback;
}

int64_t ConfigReader::integer(const Key& key, int64_t min, int64_t max) const {
  const Spelling& spelling = spelled(key, convention());
  if (spelling.key.empty()) return static_cast<int64_t>(spelling.fallback.value_or(0));
  const nlohmann::json* value = find(spelling);
  if (value != nullptr && !value->is_null()) return checked_integer(*value, full_key(spelling.key), min, max);
  return value != nullptr && min <= 0 ? 0 : static_cast<int64_t>(fallback(spelling));
}

double ConfigReader::number(const Key& key, double min, double max) const {
  const Spelling& spelling = spelled(key, convention());
  if (spelling.key.empty()) return spelling.fallback.value_or(0);
  const nlohmann::json* value = find(spelling);
  if (value != nullptr && !value->is_null()) return checked_number(*value, full_key(spelling.key), min, max);
  return value != nullptr && min <= 0 ? 0 : fallback(spelling);
}

bool ConfigReader::flag(const Key& key) const {
  const Spelling& spelling = spelled(key, convention());
  const nlohmann::json* there = find(spelling);
  if (there == nullptr) return spelling.fallback.value_or(0) != 0;
  // A null is no absent key: transformers takes it as Python does, for false.
  const nlohmann::json* value = checked(there, full_key(spelling.key), is_truth, kTruth);
  return value != nullptr && value->get<bool>();
}

const nlohmann::json* ConfigReader::checked(const nlohmann::json* value, const std::string& name,
                                            bool (*is)(const nlohmann::json&), const char* wanted) const {
  if (value == nullptr || value->is_null()) return nullptr;
  if (is(*value)) return value;
  throw fail<FormatError>("{}: {} is {}; it must be {}", source_.path(), name, shown(*value), wanted);
}

std::optional<bool> ConfigReader::truth(std::string_view key) const {
  const nlohmann::json* value = checked(find(key), full_key(key), is_truth, kTruth);
  return value == nullptr ? std::nullopt : std::optional(value->get<bool>());
}

const std::string* ConfigReader::text(std::string_view key) const {
  const nlohmann::json* value = checked(find(key), full_key(key), is_text, kText);
  return value == nullptr ? nullptr : value->get_ptr<const std::string*>();
}

const nlohmann::json* ConfigReader::list(std::string_view key) const {
  return checked(find(key), full_key(key), is_list, "a list");
}

const nlohmann::json* ConfigReader::object(std::string_view key) const {
  return checked(find(key), full_key(key), is_object, kObject);
}

std::optional<bool> ConfigReader::truth_in(const nlohmann::json& object, std::string_view where,
                                           std::string_view key) const {
  const nlohmann::json* value = checked(member(object, key), fmt::format("{}.{}", where, key), is_truth, kTruth);
  return value == nullptr ? std::nullopt : std::optional(value->get<bool>());
}

const std::string* ConfigReader::text_in(const nlohmann::json& object, std::string_view where,
                                         std::string_view key) const {
  const nlohmann::json* value = checked(member(object, key), fmt::format("{}.{}", where, key), is_text, kText);
  return value == nullptr ? nullptr : value->get_ptr<const std::string*>();
}

const nlohmann::json* ConfigReader::object_in(const nlohmann::json& object, std::string_view where,
                                              std::string_view key) const {
  return checked(member(object, key), fmt::format("{}.{}", where, key), is_object, kObject);
}

double ConfigReader::number_in(const nlohmann::json& object, std::string_view where, const char* key, double fallback,
                               double min, double max) const {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return fallback;
  return checked_number(*found, fmt::format("{}.{}", where, key), min, max);
}

std::string model_name(const format::WeightSource& source) {
  const nlohmann::json& config = source.config();
  const auto found = config.find("general.name");
  if (found != config.end() && found->is_string()) return found->get<std::string>();
  std::filesystem::path path(source.path());
  if (path.filename().empty()) path = path.parent_path();
  return source.convention() == format::Convention::kGguf ? path.stem().string() : path.filename().string();
}

kernels::Activation read_activation(const ConfigReader& reader, const Architecture& architecture) {
  if (reader.convention() == format::Convention::kGguf) return architecture.activation;
  const std::string* value = reader.text(architecture.keys.activation);
  if (value == nullptr) return architecture.activation;
  // By all the names that transformers has for each.
  static constexpr std::pair<std::string_view, kernels::Activation> kNames[] = {
      {"silu", kernels::Activation::kSilu},
      {"swish", kernels::Activation::kSilu},
      {"gelu", kernels::Activation::kGelu},
      {"gelu_python", kernels::Activation::kGelu},
      {"gelu_pytorch_tanh", kernels::Activation::kGeluTanh},
      {"gelu_python_tanh", kernels::Activation::kGeluTanh},
      {"gelu_new", kernels::Activation::kGeluTanh},
      {"gelu_fast", kernels::Activation::kGeluTanh},
      {"gelu_accurate", kernels::Activation::kGeluTanh},
      {"relu", kernels::Activation::kRelu},
  };
  for (const auto& [name, activation] : kNames) {
    if (*value == name) return activation;
  }
  throw fail<Unsupported>("{}: {} {} is not supported; those there are: silu, gelu, gelu_pytorch_tanh, relu",
                          reader.source().path(), architecture.keys.activation, ConfigReader::shown(*value));
}

}  // namespace caravel::model
