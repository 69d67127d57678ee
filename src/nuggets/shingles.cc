#include "nuggets/shingles.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/hash.h"
#include "base/unicode_classes.h"
#include "base/utf8.h"
#include "text/jinja/python_text.h"
#include "text/unicode.h"

namespace caravel::nuggets {
namespace {

constexpr size_t kUnitsInShingle = 3;

/// Characters of scripts that put no spaces between words.
const CodePointSet& unspaced() {
  static const CodePointSet set = [] {
    CodePointSet all;
    for (const auto* const name : {"Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"}) {
      all = unite(all, *script(name));
    }
    return all;
  }();
  return set;
}

std::string plain(std::string_view text) {
  std::string whole;
  if (append_complete_utf8(text, whole) > 0) whole.append(kReplacement);
  return text::jinja::to_lower(text::normalize(whole, TokenizerData::Normalization::kNfkc));
}

enum class CharacterKind : uint8_t { kSpace, kWord, kAlone };

CharacterKind kind_of(char32_t c) {
  if (text::is_white_space(c)) return CharacterKind::kSpace;
  if (!text::is_word_char(c)) return CharacterKind::kAlone;
  return c >= 0x80 && contains(unspaced(), c) ? CharacterKind::kAlone : CharacterKind::kWord;
}

std::vector<uint64_t> units_of(std::string_view text) {
  std::vector<uint64_t> units;
  size_t word = 0;  // where the word that is being read began
  size_t at = 0;
  const auto end_word = [&] {
    if (word < at) units.push_back(hash128(&text[word], at - word).low);
  };
  while (at < text.size()) {
    const Utf8Sequence character = next_utf8(text.substr(at));
    const CharacterKind kind = kind_of(character.code_point);
    if (kind == CharacterKind::kWord) {
      at += character.length;
      continue;
    }
    end_word();
    if (kind == CharacterKind::kAlone) units.push_back(hash128(&text[at], character.length).low);
    word = at += character.length;
  }
  end_word();
  return units;
}

}  // namespace

std::vector<uint64_t> shingles_of(std::string_view text) {
  const std::vector<uint64_t> units = units_of(plain(text));
  if (units.empty()) return {};
  const size_t length = std::min(kUnitsInShingle, units.size());
  std::vector<uint64_t> shingles(units.size() - length + 1);
  for (size_t i = 0; i < shingles.size(); ++i) shingles[i] = hash128(&units[i], length * sizeof units[i]).low;
  std::sort(shingles.begin(), shingles.end());
  shingles.erase(std::unique(shingles.begin(), shingles.end()), shingles.end());
  return shingles;
}

}  // namespace caravel::nuggets
