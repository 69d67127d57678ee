#include "nuggets/row.h"

#include <algorithm>

#include "base/check.h"

namespace caravel::nuggets {
namespace {

bool same_calls(const std::vector<ToolCall>& a, const std::vector<ToolCall>& b) {
  return std::ranges::equal(a, b, [](const ToolCall& x, const ToolCall& y) {
    return x.id == y.id && x.name == y.name && x.arguments == y.arguments;
  });
}

bool same_entry(const Thread::Entry& a, const Thread::Entry& b) {
  const Message& x = a.message;
  const Message& y = b.message;
  return a.before == b.before && x.role == y.role && x.content == y.content && x.reasoning == y.reasoning &&
         x.tool_call_id == y.tool_call_id && x.name == y.name && same_calls(x.tool_calls, y.tool_calls);
}

Hash128 hash_text(const std::string& text, Hash128 parent) { return hash128(text.data(), text.size(), parent); }

}  // namespace

std::vector<const Message*> Turn::path() const {
  std::vector<const Message*> messages;
  for (size_t at = thread->entries[place].before; at != kNothingBefore; at = thread->entries[at].before) {
    messages.push_back(&thread->entries[at].message);
  }
  std::ranges::reverse(messages);
  return messages;
}

std::string instruction_of(const Turn& turn) {
  const std::vector<Thread::Entry>& entries = turn.thread->entries;
  size_t at = entries[turn.place].before;
  while (at != kNothingBefore && entries[at].message.role != "user") at = entries[at].before;
  CARAVEL_CHECK(at != kNothingBefore);
  const std::string& said = entries[at].message.content;
  const size_t taken = turn.input.empty() ? 0 : turn.input.size() + std::string_view(Turn::kBetween).size();
  CARAVEL_CHECK_LE(taken, said.size());
  return said.substr(0, said.size() - taken);
}

bool same_content(const Row& a, const Row& b) {
  const auto same_turn = [](const Turn& x, const Turn& y) { return x.place == y.place && x.input == y.input; };
  return std::ranges::equal(a.turns, b.turns, same_turn) &&
         std::ranges::equal(a.turns.front().thread->entries, b.turns.front().thread->entries, same_entry);
}

Hash128 content_hash(const Row& row) {
  Hash128 hash;
  for (const Thread::Entry& entry : row.turns.front().thread->entries) {
    hash = hash_text(entry.message.role, hash128(&entry.before, sizeof entry.before, hash));
    hash = hash_text(entry.message.content, hash);
  }
  for (const Turn& turn : row.turns) hash = hash_text(turn.input, hash128(&turn.place, sizeof turn.place, hash));
  return hash;
}

}  // namespace caravel::nuggets
