// api_tables [--check] FILE: writes the tables of fields of a Markdown page, each between <!-- fields:NAME --> and
// <!-- end -->; with --check says whether they are as they should be. scripts/api_docs runs it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "fields/field_schema.h"
#include "fields/request_field.h"

namespace caravel {
namespace {

constexpr std::string_view kBegin = "<!-- fields:";
constexpr std::string_view kEnd = "<!-- end -->";
constexpr std::string_view kOthers = "others";

constexpr std::pair<Surface, std::string_view> kSurfaceNames[] = {
    {Surface::kCompletions, "completions"},
    {Surface::kChat, "chat"},
    {Surface::kResponses, "responses"},
    {Surface::kMessages, "messages"},
    {Surface::kCountTokens, "count_tokens"},
    {Surface::kEmbeddings, "embeddings"},
    {Surface::kScore, "score"},
    {Surface::kTokenize, "tokenize"},
    {Surface::kDetokenize, "detokenize"},
    {Surface::kRows, "rows"},
};

struct Section {
  Surface surface;
  Surfaces without = {};  // fields that all of these have stand in a section of their own
};

const std::map<std::string_view, Section>& sections() {
  static const std::map<std::string_view, Section> kSections = {
      {"completions", {Surface::kCompletions, kGenerating}},
      {"chat", {Surface::kChat, kGenerating}},
      {"responses", {Surface::kResponses, kGenerating}},
      {"messages", {Surface::kMessages, kGenerating}},
      {"count_tokens", {Surface::kCountTokens}},
      {"embeddings", {Surface::kEmbeddings}},
      {"score", {Surface::kScore}},
      {"tokenize", {Surface::kTokenize}},
      {"detokenize", {Surface::kDetokenize}},
      {"rows", {Surface::kRows}},
  };
  return kSections;
}

std::string number_text(const Json& number) {
  return number.is_number_integer() ? fmt::format("{}", number.get<int64_t>())
                                    : fmt::format("{}", number.get<double>());
}

/// "0 to 2", "above 0", "1 and up"; nothing where any number will do.
std::string range_text(const Json& schema) {
  constexpr int64_t kMostInt = std::numeric_limits<int>::max();
  constexpr int64_t kLeastInt = std::numeric_limits<int>::min();
  const bool has_high = schema.contains("maximum") && schema["maximum"] != kMostInt;
  const std::string high = has_high ? number_text(schema["maximum"]) : "";
  if (schema.contains("exclusiveMinimum")) {
    return fmt::format("above {}{}", number_text(schema["exclusiveMinimum"]), has_high ? " to " + high : "");
  }
  if (!schema.contains("minimum") || schema["minimum"] == kLeastInt) return "";
  const std::string low = number_text(schema["minimum"]);
  return has_high ? fmt::format("{} to {}", low, high) : low + " and up";
}

std::string values_text(const Json& schema);

std::string list_text(const Json& schema) {
  const std::string item = values_text(schema.value("items", Json::object()));
  if (item == "token id") return "token ids";
  const bool is_word = std::ranges::all_of(item, [](char c) { return c >= 'a' && c <= 'z'; });
  if (!schema.contains("maxItems")) return fmt::format("list of {}{}", item, is_word ? "s" : "");
  const int most = schema["maxItems"].get<int>();
  return is_word ? fmt::format("up to {} {}s", most, item) : fmt::format("up to {}, each {}", most, item);
}

std::string joined(const std::vector<std::string>& texts) { return fmt::format("{}", fmt::join(texts, ", ")); }

/// "a, b or c"
std::string one_of(const std::vector<std::string>& texts) {
  std::string all;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) all += i + 1 < texts.size() ? ", " : " or ";
    all += texts[i];
  }
  return all;
}

/// The values that a schema allows, in words; null, which is as good as absent, left out.
std::string values_text(const Json& schema) {
  if (schema.contains("$ref")) {
    const std::string name = schema["$ref"].get<std::string>();
    if (name.ends_with("/Tool")) return "tool";
    if (name.ends_with("/ChatMessage")) return "message";
    return name.ends_with("/TokenId") ? "token id" : "token ids";
  }
  std::vector<std::string> texts;
  if (schema.contains("enum")) {
    for (const Json& value : schema["enum"]) {
      if (!value.is_null()) texts.push_back("`" + (value.is_string() ? value.get<std::string>() : value.dump()) + "`");
    }
    return joined(texts);
  }
  if (schema.contains("anyOf")) {
    for (const Json& part : schema["anyOf"]) {
      if (std::string text = values_text(part); !text.empty()) texts.push_back(std::move(text));
    }
    return one_of(texts);
  }
  const Json type = schema.value("type", Json());
  for (const Json& one : type.is_array() ? type : Json::array({type})) {
    if (one == "string") {
      texts.emplace_back("text");
    } else if (one == "array") {
      texts.push_back(list_text(schema));
    } else if (one == "object") {
      // Those with names of their own kind are maps.
      const bool is_map = schema.contains("propertyNames");
      const std::string range = is_map ? range_text(schema["additionalProperties"]) : "";
      texts.push_back(!is_map ? "object" : "token id: " + (range.empty() ? "number" : range));
    } else if (one == "number" || one == "integer") {
      const std::string range = schema.contains("format") ? "64 bits" : range_text(schema);
      const std::string name = one == "integer" ? "integer" : "number";
      texts.push_back(range.empty() ? name : one == "integer" ? name + ", " + range : range);
    } else if (one == "boolean") {
      texts.emplace_back("boolean");
    }
  }
  return one_of(texts);
}

std::string default_text(const RequestField& field, Surface surface, const Json& schema) {
  if (field.required.has(surface)) return "required";
  if (!std::holds_alternative<std::monostate>(field.model)) {
    const double otherwise = *field.default_on(surface);
    return otherwise == std::numeric_limits<int>::max() ? "the model's"
                                                        : fmt::format("the model's, else {}", otherwise);
  }
  const Json value = schema.value("default", Json());
  if (value.is_null()) return "";
  if (value.is_number()) return number_text(value);
  return value.is_string() ? "`" + value.get<std::string>() + "`" : value.dump();
}

/// What a surface reads.
template <typename Stands>
std::string table(Surface surface, Stands stands) {
  std::string rows;
  for (const RequestField& field : request_fields()) {
    if (!field.surfaces.has(surface) || field.use != FieldUse::kRead || !stands(field)) continue;
    const Json schema = field_schema(field, surface);
    rows += fmt::format("| `{}` | {} | {} | {} |\n", field.name, values_text(schema),
                        default_text(field, surface, schema), field.help);
  }
  return "\n| Field | Values | Default | |\n| --- | --- | --- | --- |\n" + rows + "\n";
}

/// The surfaces that have a row, as the page calls them.
std::string surfaces_text(Surfaces surfaces) {
  if (surfaces.has_all(kHttp | Surface::kRows)) return "all";
  std::vector<std::string> names;
  for (const auto& [surface, name] : kSurfaceNames) {
    if (surfaces.has(surface)) names.emplace_back(name);
  }
  return joined(names);
}

/// What surfaces know and do not read.
std::string others_table() {
  std::string rows;
  for (const RequestField& field : request_fields()) {
    if (field.use == FieldUse::kRead) continue;
    const std::string but = field.harmless == "null" ? "" : fmt::format(" other than `{}`", field.harmless);
    const std::string where = surfaces_text(field.surfaces);
    const bool ignored = field.use == FieldUse::kIgnored;
    rows += fmt::format("| `{}`{} | {} | {} | {} |\n", field.name, but, ignored ? where : "", ignored ? "" : where,
                        field.instead);
  }
  return "\n| Field | Ignored by | Refused by | |\n| --- | --- | --- | --- |\n" + rows + "\n";
}

std::string section(std::string_view name) {
  if (name == kOthers) return others_table();
  if (name == "generating") {
    return table(Surface::kCompletions, [](const RequestField& field) { return field.surfaces.has_all(kGenerating); });
  }
  const auto found = sections().find(name);
  if (found == sections().end()) throw fail<InvalidArgument>("{}{} -->: there is no such table", kBegin, name);
  const Surfaces without = found->second.without;
  return table(found->second.surface,
               [&](const RequestField& field) { return !without.overlaps(kHttp) || !field.surfaces.has_all(without); });
}

std::string with_tables(std::string_view page) {
  std::string out;
  std::set<std::string_view> written;
  for (size_t at = 0;;) {
    const size_t begin = page.find(kBegin, at);
    if (begin == std::string_view::npos) {
      out += page.substr(at);
      break;
    }
    const size_t name_begin = begin + kBegin.size();
    const size_t name_end = page.find(" -->\n", name_begin);
    const size_t end = page.find(kEnd, name_begin);
    if (name_end == std::string_view::npos || end == std::string_view::npos || name_end > end) {
      throw fail<InvalidArgument>("{} at byte {} has no {}", kBegin, begin, kEnd);
    }
    const std::string_view name = page.substr(name_begin, name_end - name_begin);
    out += page.substr(at, name_end + 5 - at);
    out += section(name);
    written.insert(name);
    at = end;
  }
  if (!written.contains(kOthers)) throw fail<InvalidArgument>("the page has no {}{} -->", kBegin, kOthers);
  for (const auto& [name, surface] : sections()) {
    if (!written.contains(name)) throw fail<InvalidArgument>("the page has no {}{} -->", kBegin, name);
  }
  return out;
}

int run(const std::vector<std::string>& args) {
  const bool check = args.size() == 2 && args[0] == "--check";
  if (args.size() != (check ? 2U : 1U)) throw InvalidArgument("usage: api_tables [--check] FILE");
  const std::string& path = args.back();
  const std::string page = read_file(path);
  const std::string wanted = with_tables(page);
  if (page == wanted) return 0;
  if (check) {
    throw fail<InvalidArgument>("{} is not what src/fields/request_fields.cc says: run scripts/api_docs", path);
  }
  std::ofstream(path, std::ios::binary) << wanted;
  return 0;
}

}  // namespace
}  // namespace caravel

int main(int argc, char** argv) {
  try {
    return caravel::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
