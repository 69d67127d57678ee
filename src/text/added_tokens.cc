#include "text/added_tokens.h"

#include <algorithm>

#include "base/utf8.h"
#include "text/unicode.h"

namespace caravel::text {
namespace {

size_t total_bytes(const std::vector<AddedTokens::Entry>& entries) {
  size_t bytes = 0;
  for (const auto& entry : entries) bytes += entry.text.size();
  return bytes;
}

bool inside_word(std::string_view text, size_t begin, size_t end) {
  return (begin > 0 && is_word_char(last_char(text.substr(0, begin)))) ||
         (end < text.size() && is_word_char(first_char(text.substr(end))));
}

}  // namespace

AddedTokens::AddedTokens(const std::vector<Entry>& entries) : nodes_(1), edges_(total_bytes(entries)) {
  for (const Entry& entry : entries) {
    if (entry.text.empty()) continue;
    begins_[static_cast<uint8_t>(entry.text[0])] = true;
    int32_t node = 0;
    for (const char c : entry.text) {
      const auto next = static_cast<int32_t>(nodes_.size());
      const auto byte = static_cast<uint8_t>(c);
      if (edges_.insert(node, byte, next)) {
        nodes_.emplace_back();
        node = next;
      } else {
        node = *edges_.find(node, byte);
      }
    }
    Node& end = nodes_[static_cast<size_t>(node)];
    end = {entry.id, entry.is_special, entry.flags};
  }
}

const AddedTokens::Node* AddedTokens::longest_at(std::string_view text, size_t begin, bool parse_special,
                                                 size_t& length) const {
  const Node* found = nullptr;
  int32_t node = 0;
  for (size_t i = begin; i < text.size(); ++i) {
    const int32_t* next = edges_.find(node, static_cast<uint8_t>(text[i]));
    if (!next) break;
    node = *next;
    const Node& here = nodes_[static_cast<size_t>(node)];
    if (here.id >= 0 && (parse_special || !here.is_special)) {
      found = &here;
      length = i + 1 - begin;
    }
  }
  return found;
}

void AddedTokens::split(std::string_view text, bool parse_special, std::vector<Fragment>& out) const {
  size_t done = 0;
  for (size_t i = 0; i < text.size();) {
    size_t length = 0;
    const Node* found = begins_[static_cast<uint8_t>(text[i])] ? longest_at(text, i, parse_special, length) : nullptr;
    if (!found) {
      ++i;
      continue;
    }
    size_t begin = i;
    size_t end = i + length;
    i = end;  // what is no whole word has been passed all the same, as by `tokenizers`
    if (found->flags->single_word && inside_word(text, begin, end)) continue;
    if (found->flags->lstrip) {
      begin = std::max(begin, done);
      while (begin > done) {
        const std::string_view before = text.substr(done, begin - done);
        const char32_t c = last_char(before);
        if (!is_white_space(c)) break;
        do --begin;
        while (is_continuation(text[begin]));
      }
    }
    if (found->flags->rstrip) {
      while (end < text.size() && is_white_space(first_char(text.substr(end)))) end += char_length(text[end]);
    }
    if (begin >= end) continue;  // all of it is white space that the token before has taken
    if (begin > done) out.push_back({text.substr(done, begin - done), -1});
    out.push_back({text.substr(begin, end - begin), found->id});
    done = end;
  }
  if (done < text.size()) out.push_back({text.substr(done), -1});
}

}  // namespace caravel::text
