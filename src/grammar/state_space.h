#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/budget.h"
#include "base/hash.h"
#include "grammar/automaton.h"
#include "grammar/token_trie.h"

namespace caravel::grammar {

/// Bits of a vocabulary, by token id: set where the token may come next.
using MaskBits = std::vector<uint32_t>;  // [TokenTrie::mask_words()]

/// The memory of a space, which others share.
struct SpaceMemory {
  Budget::Part part = Budget().part();
  std::function<bool()> make_room = {};  // gives back what nobody uses; false: nothing was left. May be empty
  size_t max_bytes = std::numeric_limits<size_t>::max();     // of this space
  size_t forget_bytes = std::numeric_limits<size_t>::max();  // above, it forgets all but where its places are
};

/// The states that an automaton can be in, found as texts lead to them: sets of nodes with the stacks of callers below
/// them, each numbered once, with where each byte leads and which tokens may follow. A node's tokens that do not leave
/// its rule are the same whatever called it, and are found once ("XGrammar", section 3.1); those that leave it are
/// followed up the stack. A rule that is called many times over keeps its count in the stack; counts that no token is
/// long enough to use up give the same tokens, and share their mask. Of two ways to read a text that differ in counts
/// alone, one of which leaves all the other leaves to come, that one is kept.
///
/// States are a cache, as RE2's are: beyond a size, the space forgets them and finds again those that it still needs.
/// Numbers of states hold until then; who stays longer has a Place. Any thread may call it; one at a time works in it.
class StateSpace {
 public:
  /// Throws CapacityError and Busy: `memory` does not even hold the beginning.
  StateSpace(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const TokenTrie> trie,
             SpaceMemory memory = {});

  static constexpr int32_t kDead = -1;
  static constexpr int64_t kAllWork = std::numeric_limits<int64_t>::max();

  /// What follows has to do with no Place: nothing is forgotten, and numbers hold as long as no Place is moved.

  int32_t start();
  /// kDead where `token` cannot follow. Throws Unsupported: the text can be read in too many ways at once;
  /// CapacityError: the states take more memory than one space may have; Busy: others have taken what there is.
  int32_t advance(int32_t state, int32_t token);
  int32_t advance(int32_t state, std::string_view bytes);
  /// What was read until `state` is a whole text of the grammar.
  bool complete(int32_t state);
  /// The tokens that may follow. Throws as advance().
  std::shared_ptr<const MaskBits> mask(int32_t state);

  const Automaton& automaton() const { return *automaton_; }

  /// About what it holds in memory, the automaton included; waits for nobody.
  size_t bytes() const { return bytes_.load(); }

 private:
  friend class Place;

  /// Thrown where a mask's share of work is done.
  struct Paused {};
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
  // With more callers than these, the tokens that leave a rule are found for all of them at once.
  static constexpr size_t kManyCallers = 8;

  /// The states before anything was read, in an empty space.
  void begin();
  /// Forgets all states but those of places, where it has grown enough since it last did.
  void forget();
  /// A stack of the space as it was.
  int32_t keep_stack(int32_t stack, const std::vector<Frame>& old, std::unordered_map<int32_t, int32_t>& kept);
  /// Takes memory for so much more. Throws CapacityError and Busy.
  void grow(size_t bytes);
  int32_t push(Frame frame);
  /// What may come under `stack` includes what may come under `other`, which differs from it in counts alone.
  bool covers(int32_t stack, int32_t other) const;
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
  std::shared_ptr<const MaskBits> mask_locked(int32_t state);
  std::shared_ptr<const MaskBits> find_mask(int32_t state);

  const std::shared_ptr<const Automaton> automaton_;
  const std::shared_ptr<const TokenTrie> trie_;
  const size_t classes_;
  std::mutex mutex_;  // guards all that follows
  SpaceMemory memory_;
  std::list<int32_t> places_;  // the states of Places
  std::vector<Frame> stacks_;
  std::unordered_map<Frame, int32_t, FrameHash> stack_index_;
  std::vector<int32_t> short_counts_;  // [stacks]: short_counts(); kNotFound
  std::vector<int32_t> shapes_;        // [stacks]: the same for stacks that differ in counts alone
  std::unordered_map<Frame, int32_t, FrameHash> shape_index_;  // of frames without counts; parent: its shape
  int32_t longest_token_ = 1;                                  // bytes
  std::vector<State> states_;
  std::unordered_map<Hash128, std::vector<int32_t>> state_index_;
  std::vector<int32_t> next_;  // [states, classes]: kNotFound, kDead or a state
  int32_t start_ = 0;
  std::unordered_map<int32_t, NodeMask> node_masks_;
  std::list<CachedMask> masks_;  // the last used first
  std::unordered_map<int32_t, std::list<CachedMask>::iterator> mask_index_;
  std::vector<int32_t> path_;     // walk()'s states, by depth
  int64_t work_left_ = kAllWork;  // configs to look at, before Paused
  size_t first_bytes_ = 0;        // after begin(), with the states of places
  std::atomic<size_t> bytes_ = 0;
};

/// Where one text is in a space, whatever that forgets. One thread at a time; the space is shared with others.
class Place {
 public:
  /// At the beginning.
  explicit Place(std::shared_ptr<StateSpace> space);
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  /// As StateSpace's; at nothing that can follow, it stays there.
  void advance(int32_t token);
  bool complete() const;
  /// The tokens that may follow; none are left where it is at nothing. nullptr: so much work (configs looked at) was
  /// not enough; ask again, what was found is kept. Throws as StateSpace::advance().
  std::shared_ptr<const MaskBits> mask(int64_t work);
  bool dead() const { return *state_ == StateSpace::kDead; }
  /// Gives up: nothing can follow.
  void die() { *state_ = StateSpace::kDead; }

 private:
  const std::shared_ptr<StateSpace> space_;
  std::list<int32_t>::iterator state_;
};

}  // namespace caravel::grammar
