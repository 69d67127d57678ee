#include "chat/call_ids.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "base/make_id.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

bool fits(const std::string& id, size_t length) {
  return id.size() == length &&
         std::ranges::all_of(id, [](unsigned char byte) { return byte < 0x80 && std::isalnum(byte) != 0; });
}

std::string fitted(const std::string& id, size_t length) { return fits(id, length) ? id : derived_call_id(id, length); }

/// The ids of results that directly follow message `at`, in order.
std::vector<std::string> result_ids(const Json& messages, size_t at) {
  std::vector<std::string> ids;
  for (size_t i = at + 1; i < messages.size() && messages[i].value("role", "") == "tool"; ++i) {
    const auto id = messages[i].find("tool_call_id");
    ids.push_back(id != messages[i].end() && id->is_string() ? id->get<std::string>() : std::string());
  }
  return ids;
}

}  // namespace

size_t call_id_length(ToolFormat format, std::string_view chat_template) {
  if (const ToolSyntax* syntax = find_syntax(format); syntax != nullptr && syntax->id_length > 0) {
    return syntax->id_length;
  }
  // The format may have been named otherwise than the template has it.
  return kMistralSyntax.is_format_of(chat_template) ? kMistralSyntax.id_length : 0;
}

std::string make_call_id(std::string_view prefix, size_t length) {
  return length == 0 ? make_id(prefix) : make_id("").substr(0, length);
}

std::string derived_call_id(std::string_view text, size_t length) {
  static constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  // 64 bits are ten such letters; those of a longer id come from the rest of the hash.
  const Hash128 hash = hash128(text.data(), text.size());
  std::string id;
  uint64_t bits = hash.low;
  for (size_t i = 0; i < length; ++i) {
    if (i == length / 2) bits = hash.high;
    id += kLetters[bits % kLetters.size()];
    bits /= kLetters.size();
  }
  return id;
}

Json fit_call_ids(Json messages, size_t length) {
  if (length == 0) return messages;
  for (size_t i = 0; i < messages.size(); ++i) {
    Json& message = messages[i];
    if (const auto id = message.find("tool_call_id"); id != message.end() && id->is_string()) {
      *id = fitted(id->get<std::string>(), length);
    }
    const auto calls = message.find("tool_calls");
    if (calls == message.end() || !calls->is_array()) continue;
    const std::vector<std::string> results = result_ids(messages, i);
    for (size_t n = 0; n < calls->size(); ++n) {
      Json& call = (*calls)[n];
      const auto given = call.find("id");
      const bool has = given != call.end() && given->is_string();
      call["id"] = fitted(has ? given->get<std::string>() : n < results.size() ? results[n] : "", length);
    }
  }
  return messages;
}

}  // namespace caravel::chat
