#include "base/near_miss.h"

#include <algorithm>
#include <numeric>

namespace caravel {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool begins_with(std::string_view text, std::string_view begin) {
  return text.size() >= begin.size() && std::ranges::equal(text.substr(0, begin.size()), begin, {}, lower, lower);
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);  // the rows of a's first i - 1 bytes, of its first i, and of one more
  std::vector<size_t> row(b.size() + 1);
  std::vector<size_t> next(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    next[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = row[j] + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      next[j + 1] = std::min({replaced, next[j] + 1, row[j + 1] + 1});
      const bool are_swapped = i > 0 && j > 0 && lower(a[i]) == lower(b[j - 1]) && lower(a[i - 1]) == lower(b[j]);
      if (are_swapped) next[j + 1] = std::min(next[j + 1], before[j - 1] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row.back();
}

std::string near_miss(std::string_view name, const std::vector<std::string>& names) {
  constexpr size_t kMost = 3;
  constexpr size_t kLongest = 200;  // what is longer is no misspelt name, and comparing takes its square
  if (name.empty() || name.size() > kLongest) return "";
  std::string nearest;
  size_t least = kMost + 1;
  for (const std::string& each : names) {
    const size_t longer = std::max(each.size(), name.size());
    if (longer > name.size() + kMost || longer > each.size() + kMost) continue;
    if (const size_t apart = edit_distance(each, name); apart < least && 3 * apart <= longer) {
      least = apart;
      nearest = each;
    }
  }
  if (!nearest.empty() || name.size() < 3) return nearest;
  const auto is_longer = [name](const std::string& each) { return begins_with(each, name); };
  const auto only = std::ranges::find_if(names, is_longer);
  return only != names.end() && std::find_if(only + 1, names.end(), is_longer) == names.end() ? *only : "";
}

}  // namespace caravel
