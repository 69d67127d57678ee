#include "grammar/unicode_property.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/unicode_classes.h"

namespace caravel::grammar {
namespace {

using Names = std::pair<std::string_view, std::string_view>;

// Second names that the tables have not, or have for something else: their "punct" holds symbols as well.
constexpr Names kCategoryAliases[] = {
    {"cntrl", "Cc"},
    {"Combining_Mark", "M"},
    {"digit", "Nd"},
    {"punct", "P"},
};
constexpr Names kProperties[] = {
    {"Any", "Any"},           {"Assigned", "Assigned"},       {"Alphabetic", "Alphabetic"}, {"Alpha", "Alphabetic"},
    {"Lower", "Lowercase"},   {"Lowercase", "Lowercase"},     {"Upper", "Uppercase"},       {"Uppercase", "Uppercase"},
    {"space", "White_Space"}, {"White_Space", "White_Space"},
};

const std::string_view* find_name(std::span<const Names> names, std::string_view name) {
  const auto found = std::ranges::find_if(names, [&](const Names& row) { return same_property_name(row.first, name); });
  return found == names.end() ? nullptr : &found->second;
}

const CodePointSet* category(std::string_view name) {
  const std::string_view* alias = find_name(kCategoryAliases, name);
  return general_category(alias == nullptr ? name : *alias);
}

const CodePointSet* find(std::string_view property) {
  static const CodePointSet kAscii = {{0, 0x7F}};
  const size_t equals = property.find('=');
  if (equals != std::string_view::npos) {
    const std::string_view name = property.substr(0, equals);
    const std::string_view value = property.substr(equals + 1);
    const auto is = [&](std::string_view other) { return same_property_name(name, other); };
    if (is("General_Category") || is("gc")) return category(value);
    if (is("Script") || is("sc")) return script(value);
    return nullptr;
  }
  if (const CodePointSet* set = category(property)) return set;
  if (const std::string_view* name = find_name(kProperties, property)) return unicode_class(*name);
  if (same_property_name(property, "ASCII")) return &kAscii;
  return script(property);
}

}  // namespace

std::vector<CharRange> unicode_property(std::string_view property) {
  const CodePointSet* set = find(property);
  if (set == nullptr) {
    throw fail<Unsupported>(
        "the Unicode property \\p{{{}}} is not supported: general categories such as \\p{{Lu}}, scripts such as "
        "\\p{{Script=Han}}, and Any, ASCII, Assigned, Alphabetic, Lowercase, Uppercase and White_Space are",
        property);
  }
  std::vector<CharRange> ranges;
  for (const CodePointRange& range : *set) ranges.push_back({range.first, range.last});
  return ranges;
}

}  // namespace caravel::grammar
