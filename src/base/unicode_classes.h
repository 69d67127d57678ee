#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace caravel {

/// Code points `first` to `last`, both included.
struct CodePointRange {
  char32_t first;
  char32_t last;
  bool operator==(const CodePointRange&) const = default;
};

/// A set of code points: ascending ranges with gaps between them.
using CodePointSet = std::vector<CodePointRange>;

inline constexpr char32_t kLastCodePoint = 0x10FFFF;

/// Any ranges, in any order, as a set.
CodePointSet make_code_point_set(CodePointSet ranges);
CodePointSet unite(const CodePointSet& a, const CodePointSet& b);
CodePointSet intersect(const CodePointSet& a, const CodePointSet& b);
/// All code points but these, surrogates included.
CodePointSet complement(const CodePointSet& set);
bool contains(const CodePointSet& set, char32_t c);

/// Unicode 16's general categories, in the order of their table.
enum class GeneralCategory : uint8_t {
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCs,
  kCo,
  kCn,
};
inline constexpr int kGeneralCategories = 30;

/// "Lu" and so on.
std::string_view category_name(GeneralCategory category);
GeneralCategory category_of(char32_t c);

/// What \p{name} is in Unicode 16: a general category ("Lu", "Uppercase_Letter") or a group of them ("L", "Letter"), a
/// script ("Han": the property Script alone), or a property: Any, Assigned, Alphabetic, Uppercase, Lowercase,
/// White_Space, and what regular expressions call alpha, alnum, digit, punct, space, upper, lower and word. Case,
/// spaces, '_' and '-' in names do not count. nullptr: there is none of that name.
const CodePointSet* unicode_class(std::string_view name);
/// Of those, what is a general category or a group of them, or a script: a name may be asked for as one of these alone.
const CodePointSet* general_category(std::string_view name);
const CodePointSet* script(std::string_view name);
/// The names are the same but for case, spaces, '_' and '-'.
bool same_property_name(std::string_view a, std::string_view b);

/// The code points whose general category is another than in Unicode 14: all but one were unassigned then.
std::span<const CodePointRange> changed_since_unicode_14();

}  // namespace caravel
