#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "grammar/automaton.h"
#include "grammar/token_trie.h"

namespace caravel::grammar {

/// Bits of a vocabulary, by token id: set where the token may come next.
using MaskBits = std::vector<uint32_t>;  // [TokenTrie::mask_words()]

/// The states that an automaton can be in, found as texts lead to them: sets of nodes with the stacks of callers below
/// them, each numbered once, with where each byte leads and which tokens may follow. A node's tokens that do not leave
/// its rule are the same whatever called it, and are found once ("XGrammar", section 3.1); those that leave it are
/// followed up the stack. A rule that is called many times over keeps its count in the stack; counts that no token is
/// long enough to use up give the same tokens, and share their mask. Any thread may call it; one at a time works in it.
class StateSpace {
 public:
  StateSpace(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const TokenTrie> trie);

  static constexpr int32_t kDead = -1;

  int32_t start() const { return start_; }
  /// kDead where `token` cannot follow. Throws Unsupported: the text can be read in too many ways at once.
  int32_t advance(int32_t state, int32_t token);
  int32_t advance(int32_t state, std::string_view bytes);
  /// What was read until `state` is a whole text of the grammar.
  bool complete(int32_t state);
  /// The tokens that may follow. Throws as advance().
  std::shared_ptr<const MaskBits> mask(int32_t state);

  const Automaton& automaton() const { return *automaton_; }

  /// About what it held in memory when the last mask was made; waits for nobody.
  size_t bytes() const { return bytes_.load(); }

 private:
  struct Config {
    int32_t node;
    int32_t stack;
    bool operator==(const Config&) const = default;
    auto operator<=>(const Config&) const = default;
  };
  struct Frame {
    int32_t node;  // where the caller goes on
    int32_t parent;
    int32_t again = -1;  // the rule's first node, where it is called more than once
    int32_t least = 0;   // how many more times it must be called
    int32_t most = 0;    // and may be; kUnbounded
    bool operator==(const Frame&) const = default;
  };
  struct FrameHash {
    size_t operator()(const Frame& frame) const { return static_cast<size_t>(hash128(&frame, sizeof(frame)).low); }
  };
  struct State {
    std::vector<Config> configs;  // those that a byte can follow, in order
    bool complete = false;        // the end of the text
    bool escapes = false;         // the end of a rule of which the caller is not known
  };
  /// The tokens that may follow a node, but for those that leave its rule and go on.
  struct NodeMask {
    std::vector<int32_t> tokens;   // either these
    MaskBits bits;                 // or these
    std::vector<uint32_t> leaves;  // nodes of the trie where the rule can end, and which have something below them
  };
  struct CachedMask {
    int32_t state;
    std::shared_ptr<const MaskBits> bits;
  };

  // Stacks that are none.
  static constexpr int32_t kBottom = 0;   // below the root rule
  static constexpr int32_t kUnknown = 1;  // below the rule of a node that is looked at by itself

  static constexpr int32_t kNotFound = -2;
  static constexpr size_t kMaxConfigs = 4096;
  static constexpr size_t kMaxMaskBytes = size_t{32} << 20;

  int32_t push(Frame frame);
  /// Where it goes on once a rule called from `stack`, which has a caller, has ended.
  template <typename Reach>
  void leave(int32_t stack, Reach reach);
  /// The same stack, or state, with counts that are the same to every token.
  int32_t short_counts(int32_t stack);
  int32_t look_alike(int32_t state);
  /// The state of `seeds` and of all that their calls and ends lead to without a byte.
  int32_t state_of(std::vector<Config> seeds);
  int32_t intern(State state);
  int32_t next(int32_t state, uint8_t byte) {
    const size_t place = static_cast<size_t>(state) * classes_ + automaton_->class_of(byte);
    return next_[place] != kNotFound ? next_[place] : find_next(state, automaton_->class_of(byte));
  }
  int32_t find_next(int32_t state, uint8_t byte_class);
  /// Follows the trie below `node` from `state`; `mark` gets the tokens of what is reached, `leave` the places where
  /// the state escapes.
  template <typename Mark, typename Leave>
  void walk(size_t node, int32_t state, Mark mark, Leave leave);
  const NodeMask& node_mask(int32_t node);
  std::shared_ptr<const MaskBits> find_mask(int32_t state);
  size_t count_bytes() const;

  const std::shared_ptr<const Automaton> automaton_;
  const std::shared_ptr<const TokenTrie> trie_;
  const size_t classes_;
  mutable std::mutex mutex_;  // guards all that follows
  std::vector<Frame> stacks_;
  std::unordered_map<Frame, int32_t, FrameHash> stack_index_;
  std::vector<int32_t> short_counts_;  // [stacks]: short_counts(); kNotFound
  int32_t longest_token_ = 1;          // bytes
  std::vector<State> states_;
  std::unordered_map<Hash128, std::vector<int32_t>> state_index_;
  std::vector<int32_t> next_;  // [states, classes]: kNotFound, kDead or a state
  int32_t start_ = 0;
  std::unordered_map<int32_t, NodeMask> node_masks_;
  std::list<CachedMask> masks_;  // the last used first
  std::unordered_map<int32_t, std::list<CachedMask>::iterator> mask_index_;
  std::vector<int32_t> path_;  // walk()'s states, by depth
  size_t config_count_ = 0;
  size_t node_mask_bytes_ = 0;
  std::atomic<size_t> bytes_ = 0;
};

}  // namespace caravel::grammar
