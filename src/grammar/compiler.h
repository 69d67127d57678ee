#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "caravel/request.h"
#include "grammar/automaton.h"
#include "grammar/state_space.h"
#include "grammar/token_trie.h"

namespace caravel::grammar {

/// `spec` as rules. Throws InvalidArgument (malformed, or nothing can match it) and Unsupported (what cannot be
/// enforced, by name and place), one line each.
Grammar parse_spec(const GrammarSpec& spec);

/// Turns specs into automata over one vocabulary, and keeps those used last. Any thread may call it.
class Compiler {
 public:
  /// `make_trie` is called once, when the first constrained request comes. max_bytes: what the states of all that it
  /// keeps, or that somebody uses, may take.
  explicit Compiler(std::function<TokenTrie()> make_trie, size_t max_bytes = kMaxGrammars * kMaxSpaceBytes)
      : make_trie_(std::move(make_trie)), max_bytes_(max_bytes) {}

  /// spec.kind is not kNone. Throws what parse_spec() throws, and Busy where those in use take all memory.
  std::shared_ptr<StateSpace> compile(const GrammarSpec& spec);

  /// Its mask_words() say how large a mask is.
  const std::shared_ptr<const TokenTrie>& trie();

 private:
  static constexpr size_t kMaxGrammars = 64;
  static constexpr size_t kMaxSpaceBytes = size_t{64} << 20;  // more, and the next request gets a fresh one

  size_t max_space_bytes() const { return std::min(kMaxSpaceBytes, max_bytes_ / 4); }
  /// Forgets those that nobody uses, the last used last, until the rest keeps to max_bytes_.
  void make_room();

  struct Entry {
    GrammarSpec spec;
    std::shared_ptr<const Automaton> automaton;
    std::shared_ptr<StateSpace> space;
  };

  const std::function<TokenTrie()> make_trie_;
  const size_t max_bytes_;
  std::once_flag once_;
  std::shared_ptr<const TokenTrie> trie_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
};

}  // namespace caravel::grammar
