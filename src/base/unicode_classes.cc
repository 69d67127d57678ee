#include "base/unicode_classes.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string>
#include <utility>

namespace caravel {
namespace {

#include "base/unicode_tables.inc"

constexpr std::array<std::pair<std::string_view, std::string_view>, kGeneralCategories> kCategoryNames = {{
    {"Lu", "Uppercase_Letter"},    {"Ll", "Lowercase_Letter"},  {"Lt", "Titlecase_Letter"},
    {"Lm", "Modifier_Letter"},     {"Lo", "Other_Letter"},      {"Mn", "Nonspacing_Mark"},
    {"Mc", "Spacing_Mark"},        {"Me", "Enclosing_Mark"},    {"Nd", "Decimal_Number"},
    {"Nl", "Letter_Number"},       {"No", "Other_Number"},      {"Pc", "Connector_Punctuation"},
    {"Pd", "Dash_Punctuation"},    {"Ps", "Open_Punctuation"},  {"Pe", "Close_Punctuation"},
    {"Pi", "Initial_Punctuation"}, {"Pf", "Final_Punctuation"}, {"Po", "Other_Punctuation"},
    {"Sm", "Math_Symbol"},         {"Sc", "Currency_Symbol"},   {"Sk", "Modifier_Symbol"},
    {"So", "Other_Symbol"},        {"Zs", "Space_Separator"},   {"Zl", "Line_Separator"},
    {"Zp", "Paragraph_Separator"}, {"Cc", "Control"},           {"Cf", "Format"},
    {"Cs", "Surrogate"},           {"Co", "Private_Use"},       {"Cn", "Unassigned"},
}};

constexpr std::pair<std::string_view, std::string_view> kGroupNames[] = {
    {"L", "Letter"}, {"M", "Mark"},      {"N", "Number"}, {"P", "Punctuation"},
    {"S", "Symbol"}, {"Z", "Separator"}, {"C", "Other"},
};

std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

/// Runs of first << 8 | value, as sets by value.
template <size_t kRuns>
std::vector<CodePointSet> sets_of(const uint32_t (&runs)[kRuns], size_t values) {
  std::vector<CodePointSet> sets(values);
  for (size_t i = 0; i < kRuns; ++i) {
    const char32_t last = i + 1 < kRuns ? (runs[i + 1] >> 8) - 1 : kLastCodePoint;
    sets[runs[i] & 0xFF].push_back({runs[i] >> 8, last});
  }
  return sets;
}

template <size_t kRanges>
CodePointSet set_of(const CodePointRange (&ranges)[kRanges]) {
  return {std::begin(ranges), std::end(ranges)};
}

using Classes = std::map<std::string, CodePointSet, std::less<>>;  // by folded name

const CodePointSet* find(const Classes& classes, std::string_view name) {
  const auto found = classes.find(folded(name));
  return found == classes.end() ? nullptr : &found->second;
}

Classes make_scripts() {
  Classes classes;
  std::vector<CodePointSet> scripts = sets_of(kScriptRuns, std::size(kScriptNames));
  for (size_t i = 0; i < scripts.size(); ++i) classes.emplace(folded(kScriptNames[i]), std::move(scripts[i]));
  return classes;
}

Classes make_categories() {
  Classes classes;
  const auto add = [&](std::string_view name, const CodePointSet& set) { classes.emplace(folded(name), set); };
  const std::vector<CodePointSet> sets = sets_of(kCategoryRuns, kGeneralCategories);
  for (const auto& [group, long_name] : kGroupNames) {
    CodePointSet members;
    for (size_t i = 0; i < sets.size(); ++i) {
      if (kCategoryNames[i].first.front() == group.front()) members = unite(members, sets[i]);
    }
    add(group, members);
    add(long_name, members);
  }
  const CodePointSet cased = unite(unite(sets[0], sets[1]), sets[2]);  // Lu, Ll, Lt
  for (const char* name : {"LC", "Cased_Letter"}) add(name, cased);
  for (size_t i = 0; i < sets.size(); ++i) {
    add(kCategoryNames[i].first, sets[i]);
    add(kCategoryNames[i].second, sets[i]);
  }
  return classes;
}

const Classes& scripts() {
  static const Classes classes = make_scripts();
  return classes;
}

const Classes& categories() {
  static const Classes classes = make_categories();
  return classes;
}

/// What is neither a script nor a category.
Classes make_properties() {
  Classes classes;
  const auto add = [&](std::string_view name, const CodePointSet& set) { classes.emplace(folded(name), set); };
  const auto of = [](std::string_view name) -> const CodePointSet& { return *find(categories(), name); };
  const CodePointSet alphabetic = unite(unite(of("L"), of("Nl")), set_of(kOtherAlphabetic));
  const CodePointSet uppercase = unite(of("Lu"), set_of(kOtherUppercase));
  const CodePointSet lowercase = unite(of("Ll"), set_of(kOtherLowercase));
  for (const char* name : {"Alphabetic", "alpha"}) add(name, alphabetic);
  for (const char* name : {"Uppercase", "upper"}) add(name, uppercase);
  for (const char* name : {"Lowercase", "lower"}) add(name, lowercase);
  for (const char* name : {"White_Space", "space"}) add(name, set_of(kWhiteSpace));
  add("Any", {{0, kLastCodePoint}});
  add("Assigned", complement(of("Cn")));
  add("digit", of("Nd"));
  add("alnum", unite(alphabetic, of("Nd")));
  add("punct", unite(of("P"), of("S")));
  add("word", unite(unite(alphabetic, of("M")), unite(of("Nd"), of("Pc"))));
  return classes;
}

}  // namespace

CodePointSet make_code_point_set(CodePointSet ranges) {
  std::ranges::sort(ranges, {}, &CodePointRange::first);
  CodePointSet set;
  for (const CodePointRange& range : ranges) {
    if (range.first > range.last) continue;
    if (!set.empty() && range.first <= set.back().last + 1) {
      set.back().last = std::max(set.back().last, range.last);
    } else {
      set.push_back(range);
    }
  }
  return set;
}

CodePointSet unite(const CodePointSet& a, const CodePointSet& b) {
  CodePointSet both = a;
  both.insert(both.end(), b.begin(), b.end());
  return make_code_point_set(std::move(both));
}

CodePointSet intersect(const CodePointSet& a, const CodePointSet& b) {
  CodePointSet common;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const char32_t first = std::max(a[i].first, b[j].first);
    const char32_t last = std::min(a[i].last, b[j].last);
    if (first <= last) common.push_back({first, last});
    if (a[i].last < b[j].last) {
      ++i;
    } else {
      ++j;
    }
  }
  return common;
}

CodePointSet complement(const CodePointSet& set) {
  CodePointSet rest;
  char32_t next = 0;
  for (const CodePointRange& range : set) {
    if (range.first > next) rest.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLastCodePoint) rest.push_back({next, kLastCodePoint});
  return rest;
}

bool contains(const CodePointSet& set, char32_t c) {
  const auto after = std::ranges::upper_bound(set, c, {}, &CodePointRange::first);
  return after != set.begin() && std::prev(after)->last >= c;
}

std::string_view category_name(GeneralCategory category) { return kCategoryNames[static_cast<size_t>(category)].first; }

GeneralCategory category_of(char32_t c) {
  const auto* const after =
      std::ranges::upper_bound(kCategoryRuns, c, {}, [](uint32_t run) { return static_cast<char32_t>(run >> 8); });
  return static_cast<GeneralCategory>(*std::prev(after) & 0xFF);
}

const CodePointSet* general_category(std::string_view name) { return find(categories(), name); }

const CodePointSet* script(std::string_view name) { return find(scripts(), name); }

bool same_property_name(std::string_view a, std::string_view b) { return folded(a) == folded(b); }

const CodePointSet* unicode_class(std::string_view name) {
  static const Classes properties = make_properties();
  for (const Classes* classes : {&categories(), &scripts(), &properties}) {
    if (const CodePointSet* set = find(*classes, name)) return set;
  }
  return nullptr;
}

std::span<const CodePointRange> changed_since_unicode_14() { return kChangedSince14; }

}  // namespace caravel
