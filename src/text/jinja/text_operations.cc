#include "text/jinja/text_operations.h"

#include <algorithm>

#include "base/error.h"
#include "text/jinja/operators.h"
#include "text/jinja/python_text.h"

namespace caravel::text::jinja {
namespace {

// The length of `count` pieces of `bytes`, or one over the limit.
size_t checked_product(const Budget& budget, size_t count, size_t bytes) {
  return bytes != 0 && count > budget.max_text() / bytes ? budget.max_text() + 1 : count * bytes;
}

}  // namespace

std::string stripped(Interpreter& interpreter, std::string_view text, const Value* chars, bool left, bool right) {
  if (chars == nullptr || chars->is_none()) return std::string(strip(text, nullptr, left, right));
  const std::string_view set = string_argument("strip", "chars", chars);
  interpreter.budget().step(static_cast<int64_t>(checked_product(interpreter.budget(), text.size(), set.size()) / 64));
  return std::string(strip(text, &set, left, right));
}

std::string replaced(Budget& budget, std::string_view text, std::string_view from, std::string_view to, int64_t limit) {
  std::string out;
  const auto append = [&](std::string_view part) {
    if (out.size() + part.size() > budget.max_text()) budget.text(out.size() + part.size());
    out += part;
  };
  budget.text(text.size());
  size_t position = 0;
  int64_t count = 0;
  if (from.empty()) {
    // Between all characters and at both ends.
    for (; limit < 0 || count < limit; ++count) {
      budget.step(1 + static_cast<int64_t>(to.size() / 64));
      append(to);
      if (position >= text.size()) return out;
      const size_t bytes = utf8_decode(text, position).bytes;
      append(text.substr(position, bytes));
      position += bytes;
    }
  } else {
    for (; limit < 0 || count < limit; ++count) {
      const size_t found = find_text(text, from, position);
      if (found == std::string_view::npos) break;
      budget.step(1 + static_cast<int64_t>(to.size() / 64));
      append(text.substr(position, found - position));
      append(to);
      position = found + from.size();
    }
  }
  append(text.substr(position));
  return out;
}

std::string spaces(Budget& budget, int64_t width) {
  const size_t count = width < 0 ? 0 : std::min(static_cast<size_t>(width), budget.max_text() + 1);
  budget.text(count);
  return std::string(count, ' ');
}

std::string padded(Budget& budget, std::string_view text, int64_t left, int64_t right, std::string_view fill) {
  const auto limit = static_cast<int64_t>(budget.max_text()) + 1;
  const auto before = static_cast<size_t>(std::clamp<int64_t>(left, 0, limit));
  const auto after = static_cast<size_t>(std::clamp<int64_t>(right, 0, limit));
  budget.text(text.size() + checked_product(budget, before + after, fill.size()));
  std::string out;
  for (size_t i = 0; i < before; ++i) out += fill;
  out += text;
  for (size_t i = 0; i < after; ++i) out += fill;
  return out;
}

std::string joined(Budget& budget, std::string_view separator, const std::vector<std::string>& items) {
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string_view between = i == 0 ? std::string_view() : separator;
    const size_t added = between.size() + items[i].size();
    budget.text(out.size() + added > budget.max_text() ? budget.max_text() + 1 : added);
    out += between;
    out += items[i];
  }
  return out;
}

}  // namespace caravel::text::jinja
