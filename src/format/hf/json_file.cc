#include "format/hf/json_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/printable.h"
#include "format/lfs_pointer.h"

namespace caravel::format {
namespace {

// The parser keeps its own stack, but copying or printing a value recurses; no file that is meant well nests this deep.
constexpr int kDeepest = 200;

// How deep brackets nest, outside of strings.
int nesting(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& path,
                          const nlohmann::json::parser_callback_t& callback) {
  if (nesting(text) > kDeepest) throw fail<FormatError>("{}: JSON nested more than {} deep", path, kDeepest);
  try {
    return nlohmann::json::parse(text, callback);
  } catch (const nlohmann::json::parse_error& error) {
    throw fail<FormatError>("{}: not valid JSON at byte {}: the file is truncated or corrupt", path, error.byte);
  } catch (const nlohmann::json::out_of_range&) {
    throw fail<FormatError>("{}: JSON with a number that is out of range", path);
  }
}

std::optional<bool> truth_of(const nlohmann::json& object, const char* key, const std::string& path) {
  const auto value = object.find(key);
  if (value == object.end() || value->is_null()) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  const std::string shown = value->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  throw fail<FormatError>("{}: {} is {}; it must be true or false", path, key, printable(shown, 60));
}

nlohmann::json read_json_object(const std::filesystem::path& path) {
  const std::string text = read_file(path.string());
  refuse_lfs_pointer(text, path.string());
  nlohmann::json value = parse_json(text, path.string());
  if (!value.is_object()) throw fail<FormatError>("{}: should be a JSON object", path.string());
  return value;
}

nlohmann::json read_json_object_if_there(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? read_json_object(path) : nlohmann::json();
}

}  // namespace caravel::format
