#include "cli/batch_results.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "chat/call_ids.h"
#include "cli/openai_line.h"
#include "cli/output_file.h"

namespace caravel::cli {
namespace {

std::string text_of(const Json& json) { return json.is_string() ? json.get<std::string>() : ""; }

/// Nothing: it is no result of that form.
std::optional<BatchResult> read_result(const Json& json, BatchForm form, const ResultFields& fields) {
  const char* const id_name = form == BatchForm::kOpenAi ? "custom_id" : "id";
  if (!json.is_object() || !json.contains(id_name)) return std::nullopt;
  BatchResult result{.key = id_key(json[id_name])};
  if (form == BatchForm::kRows) {
    if (!json.contains("finish_reason")) return std::nullopt;
    result.digest = text_of(json.value("digest", Json()));
    result.failed = json.contains("error");
    if (result.failed) result.error = text_of(json["error"]);
    result.lacks = !result.failed && fields.missing_in(json);
  } else if (form == BatchForm::kScores) {
    if (!json.contains("scores")) return std::nullopt;
    result.digest = text_of(json.value("digest", Json()));
    result.failed = json.contains("error");
    if (result.failed) result.error = text_of(json["error"]);
  } else {
    if (!json.contains("response") || !json.contains("error")) return std::nullopt;
    result.digest = openai_digest(text_of(json.value("id", Json())));
    const std::optional<std::string> error = openai_error(json);
    result.failed = error.has_value();
    result.error = error.value_or("");
  }
  return result;
}

/// Whether a file's end without a line break may be what a killed run left of a result: it begins as they do.
bool begins_result(std::string_view end, BatchForm form) {
  const auto goes_on = [&end](std::string_view expected) {
    const size_t length = std::min(end.size(), expected.size());
    const bool same = end.substr(0, length) == expected.substr(0, length);
    end.remove_prefix(length);
    return same;
  };
  if (!goes_on(R"({"id":)")) return false;
  size_t id = 0;  // how long it is
  if (end.starts_with('"')) {
    for (id = 1; id < end.size() && end[id] != '"';) id += end[id] == '\\' ? 2 : 1;
    ++id;
  } else {
    id = std::min(end.find_first_not_of("-0123456789"), end.size());
  }
  end.remove_prefix(std::min(id, end.size()));
  switch (form) {
    case BatchForm::kRows:
      return goes_on(R"(,"index":)");
    case BatchForm::kOpenAi:
      return goes_on(R"(,"custom_id":)");
    case BatchForm::kScores:
      return goes_on(R"(,"scores":)");
  }
  return false;
}

/// Of several answers to a row; -1 where there is one alone.
int64_t index_of(const Json& json, BatchForm form) {
  const Json index = json.value("index", Json());
  return form == BatchForm::kRows && index.is_number_integer() ? index.get<int64_t>() : -1;
}

/// Ids of answers and calls are drawn: those of `node` become such that depend on their place alone, the same wherever
/// one stands. Times are 0, and what the prefix cache had is left out.
class Settler {
 public:
  explicit Settler(std::string place) : place_(std::move(place)) {}

  void settle(Json& node) {
    if (node.is_array()) {
      for (Json& item : node) settle(item);
    }
    if (!node.is_object()) return;
    node.erase("cached_tokens");
    for (auto& [name, value] : node.get_ref<Json::object_t&>()) {
      if ((name == "id" || name == "call_id") && value.is_string()) {
        value = settled(value.get<std::string>());
      } else if ((name == "created" || name == "created_at" || name == "completed_at") && value.is_number()) {
        value = 0;
      } else {
        settle(value);
      }
    }
  }

 private:
  /// "call_" and the like stay.
  const std::string& settled(const std::string& id) {
    const size_t number = ids_.size();
    const auto [entry, is_new] = ids_.try_emplace(id);
    if (is_new) {
      const size_t kept = id.find_last_of("-_") + 1;  // npos + 1 is 0
      const std::string place = fmt::format("{}/{}", place_, number);
      entry->second = id.substr(0, kept) + chat::derived_call_id(place, id.size() - kept);
    }
    return entry->second;
  }

  const std::string place_;
  std::unordered_map<std::string, std::string> ids_;
};

void settle_line(Json& json, BatchForm form) {
  if (form == BatchForm::kRows) {
    if (const auto usage = json.find("usage"); usage != json.end()) usage->erase("cached_tokens");
    if (json.contains("message")) {
      Settler(fmt::format("{}/{}", to_text(json["id"]), to_text(json["index"]))).settle(json["message"]);
    }
  } else if (form == BatchForm::kOpenAi && json["response"].is_object() && json["response"].contains("body")) {
    Settler(to_text(json["custom_id"])).settle(json["response"]["body"]);
  }
}

/// A result's lines, as they are to stand for `row`.
std::string lines_of(std::string_view lines, BatchForm form, const BatchRow& row, bool settled) {
  std::string text;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    Json json = parse_json(lines.substr(0, end));
    lines.remove_prefix(end + 1);
    json[form == BatchForm::kOpenAi ? "custom_id" : "id"] = row.id;
    if (settled) settle_line(json, form);
    text += to_text(json) + "\n";
  }
  return text;
}

}  // namespace

BatchResults read_results(const std::string& path, BatchForm form, const ResultFields& fields) {
  BatchResults results;
  if (path.empty() || path == "-" || !std::filesystem::is_regular_file(path)) return results;
  results.content = read_file(path);
  const size_t whole = results.content.rfind('\n') + 1;  // npos + 1 is 0
  const std::string cut_off = results.content.substr(whole);
  results.content.resize(whole);
  int64_t line = 0;
  int64_t last_index = -1;
  for (size_t begin = 0; begin < whole;) {
    const size_t end = results.content.find('\n', begin) + 1;
    ++line;
    std::optional<BatchResult> result;
    Json json;
    try {
      json = parse_json(std::string_view(results.content).substr(begin, end - 1 - begin));
      result = read_result(json, form, fields);
    } catch (const FormatError&) {
      // No result either.
    }
    if (!result) throw fail<InvalidArgument>("{}:{}: no result of a row; give another --output", path, line);
    const int64_t index = index_of(json, form);
    BatchResult* const before = results.items.empty() ? nullptr : &results.items.back();
    if (before != nullptr && before->key == result->key && before->digest == result->digest && index > last_index) {
      before->end = end;
    } else {
      result->line = line;
      result->begin = begin;
      result->end = end;
      results.items.push_back(*std::move(result));
    }
    last_index = index;
    begin = end;
  }
  if (!cut_off.empty() && !begins_result(cut_off, form)) {
    throw fail<InvalidArgument>(
        "{}:{}: no result of a row, nor what a run that was killed left of one; give another --output", path, line + 1);
  }
  return results;
}

void refuse_foreign(const std::string& path, const BatchResults& results, const std::vector<BatchRow>& rows) {
  std::unordered_set<std::string_view> keys;
  for (const BatchRow& row : rows) keys.insert(row.key);
  for (const BatchResult& result : results.items) {
    const bool is_known_by_content = result.key.starts_with("line-") && !result.digest.empty();
    if (keys.contains(result.key) || result.failed || is_known_by_content) continue;
    throw fail<InvalidArgument>(
        "{}:{}: the result of '{}', which is no row of this input; take the line out, or give another --output", path,
        result.line, result.key);
  }
}

std::vector<const BatchResult*> match_results(const BatchResults& results, const std::vector<BatchRow>& rows) {
  std::vector<const BatchResult*> matched(rows.size());
  std::unordered_map<std::string_view, size_t> places;
  for (size_t i = 0; i < rows.size(); ++i) places.emplace(rows[i].key, i);
  std::unordered_map<std::string_view, std::vector<const BatchResult*>> others;  // answers by digest, the last first
  for (const BatchResult& result : results.items) {
    if (result.lacks) continue;
    const auto place = places.find(result.key);
    if (place != places.end() && (result.digest.empty() || result.digest == rows[place->second].digest)) {
      const BatchResult*& best = matched[place->second];
      if (best == nullptr || best->failed || !result.failed) best = &result;
    } else if (!result.failed && !result.digest.empty()) {
      others[result.digest].push_back(&result);
    }
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto found = rows[i].named || matched[i] != nullptr ? others.end() : others.find(rows[i].digest);
    if (found == others.end() || found->second.empty()) continue;
    matched[i] = found->second.back();
    found->second.pop_back();
  }
  return matched;
}

void settle_results(const std::string& path, BatchForm form, const std::vector<BatchRow>& rows,
                    const ResultFields& fields, bool ordered) {
  const BatchResults results = read_results(path, form, fields);
  const std::vector<const BatchResult*> matched = match_results(results, rows);
  struct Kept {
    const BatchResult* result;
    const BatchRow* row;
  };
  std::vector<Kept> kept;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (matched[i] != nullptr) kept.push_back({matched[i], &rows[i]});
  }
  if (!ordered) std::ranges::sort(kept, {}, [](const Kept& item) { return item.result->begin; });
  std::string content;
  content.reserve(results.content.size());
  for (const auto& [result, row] : kept) {
    const std::string_view lines = std::string_view(results.content).substr(result->begin, result->end - result->begin);
    if (ordered || result->key != row->key) {
      content += lines_of(lines, form, *row, ordered);
    } else {
      content += lines;
    }
  }
  if (content != results.content) replace_file(path, content);
}

}  // namespace caravel::cli
