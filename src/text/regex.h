#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "text/regex_syntax.h"

namespace caravel::text {

/// A compiled regular expression over UTF-8 with Unicode properties, read as Oniguruma reads a tokenizer.json's
/// (regex_syntax.h).
/// Immutable: any thread may search.
class Regex {
 public:
  /// Throws FormatError where PCRE2 refuses the pattern.
  explicit Regex(std::string_view pattern);
  /// Matches `text` itself.
  static Regex literal(std::string_view text);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  using Match = std::pair<size_t, size_t>;  // [begin, end) in bytes

  /// One search after another over one text.
  class Searcher {
   public:
    /// `regex` outlives the searcher. kUnicode14 is for texts that have no new characters: has_new_characters().
    explicit Searcher(const Regex& regex, CharacterSet characters = CharacterSet::kUnicode16);
    ~Searcher();
    Searcher(Searcher&&) noexcept;
    Searcher& operator=(Searcher&&) noexcept;

    /// The first match in well-formed `text` at or after `from`; what lies before `from` is seen by look-behinds.
    /// Throws FormatError where the pattern backtracks without bound.
    std::optional<Match> find(std::string_view text, size_t from);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  struct Code;
  explicit Regex(std::unique_ptr<const Code> code);
  std::unique_ptr<const Code> code_;
};

}  // namespace caravel::text
