#include "voyager/answers.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/utf8.h"
#include "chat/json_mender.h"
#include "fields/json.h"
#include "voyager/text_lines.h"

namespace caravel::voyager {
namespace {

constexpr size_t kMostRead = 1 << 16;  // bytes of an answer: what JSON asks for is short
constexpr int kMostTries = 1000;       // beginnings of JSON in it

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// The value that begins at the front of `text`, with how long it is; nothing where none is whole.
std::optional<std::pair<Json, size_t>> json_at(std::string_view text) {
  chat::JsonMender mender;
  std::string mended;
  for (size_t i = 0; i < text.size(); ++i) {
    const chat::JsonMender::Status status = mender.feed(text[i], mended);
    if (status == chat::JsonMender::Status::kMore) continue;
    if (status != chat::JsonMender::Status::kDone) return std::nullopt;
    try {
      return std::pair{parse_json(mended), i + 1};
    } catch (const FormatError&) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

/// The last object or array in the text that `wanted` takes.
template <typename Wanted>
std::optional<Json> last_json(std::string_view text, const Wanted& wanted) {
  text = text.substr(0, kMostRead);
  std::optional<Json> last;
  int tries = 0;
  for (size_t at = text.find_first_of("{["); at != std::string_view::npos && tries < kMostTries; ++tries) {
    auto found = json_at(text.substr(at));
    size_t next = at + 1;
    if (found && wanted(found->first)) {
      next = at + found->second;
      last = std::move(found->first);
    }
    at = text.find_first_of("{[", next);
  }
  return last;
}

std::optional<Json> last_object(std::string_view text, const char* key) {
  return last_json(text, [key](const Json& json) { return json.is_object() && json.contains(key); });
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? std::string(trimmed(found->get<std::string>())) : std::string();
}

/// What stands behind the last "NAME:" that begins a line, without the stars and dashes of a list or of bold text.
std::optional<std::string> labelled(std::string_view text, std::string_view name) {
  std::optional<std::string> found;
  for (std::string_view line : lines_of(text)) {
    while (!line.empty() &&
           (is_space(line.front()) || line.front() == '*' || line.front() == '-' || line.front() == '#'))
      line.remove_prefix(1);
    if (lower(line.substr(0, name.size())) != name) continue;
    line.remove_prefix(name.size());
    while (!line.empty() && line.front() == '*') line.remove_prefix(1);
    if (line.empty() || line.front() != ':') continue;
    found = one_line(line.substr(1), 1000);
  }
  return found;
}

std::optional<bool> truth_of(std::string_view word) {
  const std::string known = lower(word);
  if (known.starts_with("true") || known.starts_with("yes")) return true;
  if (known.starts_with("false") || known.starts_with("no")) return false;
  return std::nullopt;
}

/// Without "1.", "2)", "-", "*" or "Question 3:"; nothing: it is none of a list.
std::optional<std::string_view> list_item(std::string_view line) {
  line = trimmed(line);
  if (lower(line.substr(0, 9)) == "question ") line.remove_prefix(9);
  if (line.starts_with("- ") || line.starts_with("* ")) return line.substr(2);
  size_t digits = 0;
  while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') ++digits;
  if (digits == 0 || digits > 3 || digits == line.size()) return std::nullopt;
  if (line[digits] != '.' && line[digits] != ')' && line[digits] != ':') return std::nullopt;
  return line.substr(digits + 1);
}

}  // namespace

std::string one_line(std::string_view text, size_t most) {
  constexpr std::string_view kFrame = "\"'`*";
  std::string line;
  for (const char c : trimmed(text)) {
    if (is_space(c) && !line.empty() && line.back() == ' ') continue;
    line += is_space(c) || static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  std::string_view rest = line;
  while (!rest.empty() && (kFrame.find(rest.front()) != kFrame.npos || is_space(rest.front()))) rest.remove_prefix(1);
  while (!rest.empty() && (kFrame.find(rest.back()) != kFrame.npos || is_space(rest.back()) || rest.back() == '.'))
    rest.remove_suffix(1);
  if (rest.size() > most) {
    rest = rest.substr(0, most + 1);
    while (!rest.empty() && is_continuation(rest.back())) rest.remove_suffix(1);
    rest = rest.substr(0, rest.empty() ? 0 : rest.size() - 1);
  }
  return std::string(rest);
}

Readable<Proposal> read_proposal(std::string_view text) {
  Proposal proposal;
  if (const auto json = last_object(text, "task")) {
    if (!json->at("task").is_string()) return Unreadable{"\"task\" is no text"};
    proposal = {one_line(text_of(*json, "task")), text_of(*json, "reasoning")};
  } else if (const auto task = labelled(text, "task")) {
    proposal = {one_line(*task), labelled(text, "reasoning").value_or("")};
  } else {
    return Unreadable{"it holds no JSON object with a \"task\""};
  }
  if (proposal.task.empty()) return Unreadable{"\"task\" is empty"};
  return proposal;
}

Readable<std::vector<std::string>> read_list(std::string_view text, std::string_view key, size_t most) {
  std::vector<std::string> list;
  const std::string name(key);
  const auto json = last_json(
      text, [&name](const Json& found) { return found.is_array() || (found.is_object() && found.contains(name)); });
  if (json) {
    const Json& array = json->is_array() ? *json : json->at(name);
    if (!array.is_array()) return Unreadable{fmt::format("\"{}\" is no list", key)};
    for (const Json& item : array) {
      if (!item.is_string()) return Unreadable{fmt::format("\"{}\" has something that is no text", key)};
      list.push_back(one_line(item.get<std::string>()));
    }
  } else {
    for (const std::string_view line : lines_of(text.substr(0, kMostRead)))
      if (const auto item = list_item(line)) list.push_back(one_line(*item));
  }
  std::erase(list, "");
  if (list.empty()) return Unreadable{fmt::format("it holds no JSON object with \"{}\", a list of texts", key)};
  if (list.size() > most) list.resize(most);
  return list;
}

Readable<Verdict> read_verdict(std::string_view text) {
  if (const auto json = last_object(text, "success")) {
    const Json& said = json->at("success");
    const auto success = said.is_boolean()  ? std::optional(said.get<bool>())
                         : said.is_string() ? truth_of(said.get<std::string>())
                                            : std::nullopt;
    if (!success) return Unreadable{"\"success\" is neither true nor false"};
    return Verdict{*success, text_of(*json, "reasoning"), text_of(*json, "critique")};
  }
  const auto said = labelled(text, "success");
  const auto success = said ? truth_of(*said) : std::nullopt;
  if (!success) return Unreadable{"it holds no JSON object with \"success\", true or false"};
  return Verdict{*success, labelled(text, "reasoning").value_or(""), labelled(text, "critique").value_or("")};
}

}  // namespace caravel::voyager
