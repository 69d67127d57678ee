#include "grammar/state_space.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "caravel/engine.h"

namespace caravel::grammar {
namespace {

// With their places in indices.
constexpr size_t kStackBytes = 128;
constexpr size_t kStateBytes = 128;

}  // namespace

StateSpace::StateSpace(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const TokenTrie> trie,
                       SpaceMemory memory)
    : automaton_(std::move(automaton)),
      trie_(std::move(trie)),
      classes_(static_cast<size_t>(automaton_->classes())),
      memory_(std::move(memory)) {
  for (const TokenTrie::Node& node : trie_->nodes()) longest_token_ = std::max<int32_t>(longest_token_, node.depth);
  begin();
}

void StateSpace::begin() {
  grow(automaton_->bytes());
  stacks_.resize(2);
  short_counts_ = {kBottom, kUnknown};
  shapes_ = {kBottom, kUnknown};
  start_ = state_of({{automaton_->start(), kBottom}});
  first_bytes_ = bytes_;
  if (!trie_->drops_leading_space()) return;
  // The start as the first token meets it: a space leads to the start itself.
  const int32_t after_space = start_;
  states_.push_back(states_[static_cast<size_t>(after_space)]);
  next_.resize(next_.size() + classes_, kNotFound);
  start_ = static_cast<int32_t>(states_.size() - 1);
  next_[static_cast<size_t>(start_) * classes_ + automaton_->class_of(' ')] = after_space;
}

void StateSpace::grow(size_t bytes) {
  constexpr size_t kStep = size_t{256} << 10;
  const size_t wanted = bytes_ + bytes;
  if (wanted > memory_.max_bytes) {
    throw fail<CapacityError>("the grammar's states take more than {} KiB, which are set aside for one: simplify it",
                              memory_.max_bytes >> 10);
  }
  if (wanted > static_cast<size_t>(memory_.part.amount())) {
    while (!memory_.part.resize(static_cast<int64_t>(wanted + kStep))) {
      if (memory_.make_room && memory_.make_room()) continue;
      throw Busy(
          "the states of constrained answers that run take all memory that is set aside for them: send it again "
          "when they have ended");
    }
  }
  bytes_ = wanted;
}

int32_t StateSpace::keep_stack(int32_t stack, const std::vector<Frame>& old,
                               std::unordered_map<int32_t, int32_t>& kept) {
  std::vector<int32_t> above;
  for (; stack > kUnknown && !kept.contains(stack); stack = old[static_cast<size_t>(stack)].parent) {
    above.push_back(stack);
  }
  int32_t found = stack > kUnknown ? kept[stack] : stack;
  for (; !above.empty(); above.pop_back()) {
    Frame frame = old[static_cast<size_t>(above.back())];
    frame.parent = found;
    found = kept[above.back()] = push(frame);
  }
  return found;
}

void StateSpace::forget() {
  // Where its places alone take much, forgetting the rest every time would find the same again for ever.
  if (bytes_ <= memory_.forget_bytes || bytes_ < 2 * first_bytes_) return;
  const std::vector<State> old_states = std::exchange(states_, {});
  const std::vector<Frame> old_stacks = std::exchange(stacks_, {});
  const int32_t old_start = start_;
  stack_index_ = {};
  shape_index_ = {};
  state_index_ = {};
  next_ = {};
  node_masks_ = {};
  masks_ = {};
  mask_index_ = {};
  bytes_ = 0;
  begin();
  std::unordered_map<int32_t, int32_t> kept;
  for (int32_t& place : places_) {
    if (place == kDead) continue;
    if (place == old_start) {
      place = start_;
      continue;
    }
    State state = old_states[static_cast<size_t>(place)];
    for (Config& config : state.configs) config.stack = keep_stack(config.stack, old_stacks, kept);
    std::ranges::sort(state.configs);
    place = intern(std::move(state));
  }
  first_bytes_ = bytes_;
  memory_.part.resize(static_cast<int64_t>(first_bytes_));
}

int32_t StateSpace::push(Frame frame) {
  if (frame.most == 0) frame.again = -1;
  // A caller that has nothing left to do need not be come back to; so recursion at the end of a rule costs no stack.
  if (frame.again < 0 && automaton_->only_accepts(frame.node)) return frame.parent;
  if (const auto found = stack_index_.find(frame); found != stack_index_.end()) return found->second;
  grow(kStackBytes);
  const auto stack = static_cast<int32_t>(stacks_.size());
  stack_index_.emplace(frame, stack);
  stacks_.push_back(frame);
  short_counts_.push_back(kNotFound);
  const Frame shape{.node = frame.node, .parent = shapes_[static_cast<size_t>(frame.parent)], .again = frame.again};
  shapes_.push_back(shape_index_.try_emplace(shape, stack).first->second);
  return stack;
}

template <typename Reach>
void StateSpace::leave(int32_t stack, Reach reach) {
  Frame frame = stacks_[static_cast<size_t>(stack)];
  if (frame.least == 0) reach(Config{frame.node, frame.parent});
  if (frame.again < 0) return;
  frame.least = std::max(frame.least - 1, 0);
  if (frame.most != kUnbounded) --frame.most;
  const int32_t start = frame.again;
  reach(Config{start, push(frame)});
}

bool StateSpace::covers(int32_t stack, int32_t other) const {
  const auto most = [](const Frame& frame) {
    return frame.most == kUnbounded ? std::numeric_limits<int32_t>::max() : frame.most;
  };
  while (stack != other) {
    const Frame& a = stacks_[static_cast<size_t>(stack)];
    const Frame& b = stacks_[static_cast<size_t>(other)];
    if (a.least > b.least || most(a) < most(b)) return false;
    stack = a.parent;
    other = b.parent;
  }
  return true;
}

int32_t StateSpace::short_counts(int32_t stack) {
  // From the bottom up: stacks are as deep as texts are nested.
  std::vector<int32_t> above;
  for (; short_counts_[static_cast<size_t>(stack)] == kNotFound; stack = stacks_[static_cast<size_t>(stack)].parent) {
    above.push_back(stack);
  }
  int32_t found = short_counts_[static_cast<size_t>(stack)];
  for (; !above.empty(); above.pop_back()) {
    Frame frame = stacks_[static_cast<size_t>(above.back())];
    frame.parent = found;
    // A part is never empty, so that a token ends no more of them than it has bytes.
    frame.least = std::min(frame.least, longest_token_);
    if (frame.most != kUnbounded) frame.most = std::min(frame.most, longest_token_);
    found = push(frame);
    short_counts_[static_cast<size_t>(above.back())] = found;
  }
  return found;
}

int32_t StateSpace::look_alike(int32_t state) {
  State same = states_[static_cast<size_t>(state)];
  bool changed = false;
  for (Config& config : same.configs) {
    const int32_t stack = short_counts(config.stack);
    changed = changed || stack != config.stack;
    config.stack = stack;
  }
  if (!changed) return state;
  std::ranges::sort(same.configs);
  same.configs.erase(std::unique(same.configs.begin(), same.configs.end()), same.configs.end());
  return intern(std::move(same));
}

int32_t StateSpace::state_of(std::vector<Config> seeds) {
  State state;
  // Stacks by node and shape, of which none covers another.
  std::unordered_map<uint64_t, std::vector<int32_t>> seen;
  std::vector<Config> reached;
  const auto place = [&](const Config& config) -> std::vector<int32_t>& {
    const int32_t shape = shapes_[static_cast<size_t>(config.stack)];
    return seen[uint64_t{static_cast<uint32_t>(config.node)} << 32 | static_cast<uint32_t>(shape)];
  };
  const auto reach = [&](Config config) {
    std::vector<int32_t>& stacks = place(config);
    if (std::ranges::any_of(stacks, [&](int32_t stack) { return covers(stack, config.stack); })) return;
    std::erase_if(stacks, [&](int32_t stack) { return covers(config.stack, stack); });
    stacks.push_back(config.stack);
    reached.push_back(config);
  };
  for (const Config& seed : seeds) reach(seed);
  for (size_t i = 0; i < reached.size(); ++i) {
    if (reached.size() > kMaxConfigs) {
      throw fail<Unsupported>("the grammar is too ambiguous: a text can be read in more than {} ways at once",
                              kMaxConfigs);
    }
    const Config config = reached[i];
    if (!automaton_->edges(config.node).empty()) state.configs.push_back(config);
    for (const Automaton::Call& call : automaton_->calls(config.node)) {
      reach({call.start, push({.node = call.target,
                               .parent = config.stack,
                               .again = call.start,
                               .least = call.min - 1,
                               .most = call.max == kUnbounded ? kUnbounded : call.max - 1})});
    }
    if (!automaton_->accepting(config.node)) continue;
    if (config.stack == kBottom) {
      state.complete = true;
    } else if (config.stack == kUnknown) {
      state.escapes = true;
    } else {
      leave(config.stack, reach);
    }
  }
  if (work_left_ != kAllWork) work_left_ -= static_cast<int64_t>(reached.size());
  std::erase_if(state.configs, [&](const Config& config) {
    return std::ranges::find(place(config), config.stack) == place(config).end();
  });
  if (state.configs.empty() && !state.complete && !state.escapes) return kDead;
  std::ranges::sort(state.configs);
  return intern(std::move(state));
}

int32_t StateSpace::intern(State state) {
  const uint64_t flags = (state.complete ? 1U : 0U) | (state.escapes ? 2U : 0U);
  const Hash128 hash = hash128(state.configs.data(), state.configs.size() * sizeof(Config), {flags, 0});
  std::vector<int32_t>& same_hash = state_index_[hash];
  for (const int32_t id : same_hash) {
    const State& other = states_[static_cast<size_t>(id)];
    if (other.configs == state.configs && other.complete == state.complete && other.escapes == state.escapes) return id;
  }
  grow(kStateBytes + state.configs.size() * sizeof(Config) + classes_ * sizeof(int32_t));
  const auto id = static_cast<int32_t>(states_.size());
  same_hash.push_back(id);
  states_.push_back(std::move(state));
  next_.resize(next_.size() + classes_, kNotFound);
  return id;
}

int32_t StateSpace::find_next(int32_t state, uint8_t byte_class) {
  if (work_left_ <= 0) throw Paused();
  std::vector<Config> seeds;
  for (const Config& config : states_[static_cast<size_t>(state)].configs) {
    for (const Automaton::Edge& edge : automaton_->edges(config.node)) {
      if (edge.first <= byte_class && byte_class <= edge.last) seeds.push_back({edge.target, config.stack});
    }
  }
  const int32_t found = seeds.empty() ? kDead : state_of(std::move(seeds));
  next_[static_cast<size_t>(state) * classes_ + byte_class] = found;
  return found;
}

int32_t StateSpace::start() {
  const std::lock_guard lock(mutex_);
  return start_;
}

int32_t StateSpace::advance(int32_t state, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  for (const char c : bytes) {
    if (state == kDead) break;
    state = next(state, static_cast<uint8_t>(c));
  }
  return state;
}

int32_t StateSpace::advance(int32_t state, int32_t token) {
  const std::string_view bytes = trie_->bytes(token);
  return bytes.empty() ? kDead : advance(state, bytes);
}

bool StateSpace::complete(int32_t state) {
  const std::lock_guard lock(mutex_);
  return state != kDead && states_[static_cast<size_t>(state)].complete;
}

template <typename Mark, typename Leave>
void StateSpace::walk(size_t node, int32_t state, Mark mark, Leave leave) {
  const std::span<const TokenTrie::Node> nodes = trie_->nodes();
  const uint16_t top = nodes[node].depth;
  path_.assign(1, state);
  for (size_t i = node + 1; i < nodes[node].end;) {
    const auto above = static_cast<size_t>(nodes[i].depth - top - 1);
    const int32_t reached = next(path_[above], nodes[i].byte);
    if (reached == kDead) {
      i = nodes[i].end;
      continue;
    }
    path_.resize(above + 1);
    path_.push_back(reached);
    mark(trie_->tokens(i));
    if (states_[static_cast<size_t>(reached)].escapes && nodes[i].end > i + 1) leave(static_cast<uint32_t>(i));
    ++i;
  }
}

const StateSpace::NodeMask& StateSpace::node_mask(int32_t node) {
  const auto found = node_masks_.find(node);
  if (found != node_masks_.end()) return found->second;
  NodeMask mask;
  const int32_t alone = intern({.configs = {{node, kUnknown}}});
  walk(
      0, alone,
      [&](std::span<const int32_t> tokens) { mask.tokens.insert(mask.tokens.end(), tokens.begin(), tokens.end()); },
      [&](uint32_t place) { mask.leaves.push_back(place); });
  if (mask.tokens.size() > trie_->mask_words()) {
    mask.bits.resize(trie_->mask_words());
    for (const int32_t token : mask.tokens) mask.bits[static_cast<size_t>(token) / 32] |= 1U << (token % 32);
    mask.tokens = {};
  }
  grow(4 * (mask.tokens.size() + mask.bits.size() + mask.leaves.size()));
  return node_masks_.emplace(node, std::move(mask)).first->second;
}

std::shared_ptr<const MaskBits> StateSpace::find_mask(int32_t state) {
  auto bits = std::make_shared<MaskBits>(trie_->mask_words());
  const auto mark = [&](std::span<const int32_t> tokens) {
    for (const int32_t token : tokens) (*bits)[static_cast<size_t>(token) / 32] |= 1U << (token % 32);
  };
  const auto nothing = [](uint32_t) {};
  if (trie_->drops_leading_space() && state == start_) {
    walk(0, state, mark, nothing);
    return bits;
  }
  const std::vector<Config> configs = states_[static_cast<size_t>(state)].configs;
  size_t callers = 0;
  for (const Config& config : configs) {
    callers += config.stack != kBottom && !node_mask(config.node).leaves.empty();
    if (callers <= kManyCallers) continue;
    walk(0, state, mark, nothing);
    return bits;
  }
  for (const Config& config : configs) {
    const NodeMask& own = node_mask(config.node);
    mark(own.tokens);
    for (size_t i = 0; i < own.bits.size(); ++i) (*bits)[i] |= own.bits[i];
    if (config.stack == kBottom || own.leaves.empty()) continue;
    std::vector<Config> after;
    leave(config.stack, [&](Config reached) { after.push_back(reached); });
    const int32_t caller = state_of(std::move(after));
    if (caller == kDead) continue;
    for (const uint32_t place : own.leaves) walk(place, caller, mark, nothing);
  }
  return bits;
}

std::shared_ptr<const MaskBits> StateSpace::mask_locked(int32_t state) {
  if (state != start_) state = look_alike(state);
  if (const auto found = mask_index_.find(state); found != mask_index_.end()) {
    masks_.splice(masks_.begin(), masks_, found->second);
    return found->second->bits;
  }
  std::shared_ptr<const MaskBits> bits = find_mask(state);
  const size_t bytes = trie_->mask_words() * sizeof(uint32_t);
  if (masks_.size() >= 16 && (masks_.size() + 1) * bytes > kMaxMaskBytes) {
    mask_index_.erase(masks_.back().state);
    masks_.pop_back();
  } else {
    grow(bytes);
  }
  masks_.push_front({state, bits});
  mask_index_[state] = masks_.begin();
  return bits;
}

std::shared_ptr<const MaskBits> StateSpace::mask(int32_t state) {
  const std::lock_guard lock(mutex_);
  return mask_locked(state);
}

Place::Place(std::shared_ptr<StateSpace> space) : space_(std::move(space)) {
  const std::lock_guard lock(space_->mutex_);
  state_ = space_->places_.insert(space_->places_.end(), space_->start_);
}

Place::~Place() {
  const std::lock_guard lock(space_->mutex_);
  space_->places_.erase(state_);
}

void Place::advance(int32_t token) {
  const std::string_view bytes = space_->trie_->bytes(token);
  const std::lock_guard lock(space_->mutex_);
  space_->forget();
  if (bytes.empty()) *state_ = StateSpace::kDead;
  for (const char c : bytes) {
    if (*state_ == StateSpace::kDead) break;
    *state_ = space_->next(*state_, static_cast<uint8_t>(c));
  }
}

bool Place::complete() const {
  const std::lock_guard lock(space_->mutex_);
  return *state_ != StateSpace::kDead && space_->states_[static_cast<size_t>(*state_)].complete;
}

std::shared_ptr<const MaskBits> Place::mask(int64_t work) {
  const std::lock_guard lock(space_->mutex_);
  if (*state_ == StateSpace::kDead) return std::make_shared<MaskBits>(space_->trie_->mask_words());
  space_->forget();
  space_->work_left_ = work;
  std::shared_ptr<const MaskBits> found;
  try {
    found = space_->mask_locked(*state_);
  } catch (const StateSpace::Paused&) {
  } catch (...) {
    space_->work_left_ = StateSpace::kAllWork;
    throw;
  }
  space_->work_left_ = StateSpace::kAllWork;
  return found;
}

}  // namespace caravel::grammar
