#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "base/budget.h"
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
  /// `make_trie` is called once, when the first constrained request comes. memory: for the states of all grammars that
  /// it keeps, or that somebody uses; a single one gets half of it at most.
  explicit Compiler(std::function<TokenTrie()> make_trie, Budget memory = Budget(kMostMemory))
      : make_trie_(std::move(make_trie)), memory_(std::move(memory)) {}

  /// spec.kind is not kNone. Throws what parse_spec() throws, and Busy where those in use take all memory. The compiler
  /// must outlive the space.
  std::shared_ptr<StateSpace> compile(const GrammarSpec& spec);

  /// Of what nobody uses, forgets all but so much, and gives the memory back to the system.
  void tidy(size_t kept_bytes = kMaxUnusedBytes);

  /// Its mask_words() say how large a mask is.
  const std::shared_ptr<const TokenTrie>& trie();

 private:
  static constexpr int64_t kMostMemory = int64_t{1} << 30;
  static constexpr size_t kMaxGrammars = 64;                   // that nobody uses
  static constexpr size_t kMaxSpaceBytes = size_t{32} << 20;   // above, a space forgets states
  static constexpr size_t kMaxUnusedBytes = size_t{32} << 20;  // that are kept for later

  std::shared_ptr<StateSpace> make_space(std::shared_ptr<const Automaton> automaton);
  /// Forgets the one that was used last the longest ago, of those that nobody uses. False: there is none.
  bool forget_one();

  struct Entry {
    GrammarSpec spec;
    std::shared_ptr<StateSpace> space;
  };

  const std::function<TokenTrie()> make_trie_;
  const Budget memory_;
  std::once_flag once_;
  std::shared_ptr<const TokenTrie> trie_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
};

}  // namespace caravel::grammar
