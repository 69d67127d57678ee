#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "caravel/request.h"
#include "grammar/automaton.h"
#include "grammar/state_space.h"
#include "grammar/vocabulary.h"

namespace caravel::grammar {

/// `spec` as rules. Throws InvalidArgument (malformed, or nothing can match it) and Unsupported (what cannot be
/// enforced, by name and place), one line each.
Grammar parse_spec(const GrammarSpec& spec);

/// Turns specs into automata over one vocabulary, and keeps those used last. Any thread may call it.
class Compiler {
 public:
  /// `vocabulary` is called once, when the first constrained request comes.
  explicit Compiler(std::function<Vocabulary()> vocabulary) : make_vocabulary_(std::move(vocabulary)) {}

  /// spec.kind is not kNone. Throws what parse_spec() throws.
  std::shared_ptr<StateSpace> compile(const GrammarSpec& spec);

  /// Its mask_words() say how large a mask is.
  const std::shared_ptr<const Vocabulary>& vocabulary();

 private:
  static constexpr size_t kMaxGrammars = 64;
  static constexpr size_t kMaxSpaceBytes = size_t{64} << 20;  // more, and the next request gets a fresh one

  struct Entry {
    GrammarSpec spec;
    std::shared_ptr<const Automaton> automaton;
    std::shared_ptr<StateSpace> space;
  };

  const std::function<Vocabulary()> make_vocabulary_;
  std::once_flag once_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
};

}  // namespace caravel::grammar
