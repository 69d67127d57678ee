#include "grammar/state_space.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"

namespace caravel::grammar {

StateSpace::StateSpace(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const TokenTrie> trie)
    : automaton_(std::move(automaton)),
      trie_(std::move(trie)),
      classes_(static_cast<size_t>(automaton_->classes())),
      stacks_(2),
      short_counts_{kBottom, kUnknown} {
  for (const TokenTrie::Node& node : trie_->nodes()) longest_token_ = std::max<int32_t>(longest_token_, node.depth);
  start_ = state_of({{automaton_->start(), kBottom}});
  if (!trie_->drops_leading_space()) return;
  // The start as the first token meets it: a space leads to the start itself.
  const int32_t after_space = start_;
  states_.push_back(states_[static_cast<size_t>(after_space)]);
  next_.resize(next_.size() + classes_, kNotFound);
  start_ = static_cast<int32_t>(states_.size() - 1);
  next_[static_cast<size_t>(start_) * classes_ + automaton_->class_of(' ')] = after_space;
}

int32_t StateSpace::push(Frame frame) {
  if (frame.most == 0) frame.again = -1;
  // A caller that has nothing left to do need not be come back to; so recursion at the end of a rule costs no stack.
  if (frame.again < 0 && automaton_->only_accepts(frame.node)) return frame.parent;
  const auto [found, is_new] = stack_index_.try_emplace(frame, static_cast<int32_t>(stacks_.size()));
  if (is_new) {
    stacks_.push_back(frame);
    short_counts_.push_back(kNotFound);
  }
  return found->second;
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
  std::unordered_set<uint64_t> seen;
  std::vector<Config> reached;
  const auto reach = [&](Config config) {
    const uint64_t key = uint64_t{static_cast<uint32_t>(config.node)} << 32 | static_cast<uint32_t>(config.stack);
    if (seen.insert(key).second) reached.push_back(config);
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
  const auto id = static_cast<int32_t>(states_.size());
  same_hash.push_back(id);
  config_count_ += state.configs.size();
  states_.push_back(std::move(state));
  next_.resize(next_.size() + classes_, kNotFound);
  return id;
}

int32_t StateSpace::find_next(int32_t state, uint8_t byte_class) {
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
  node_mask_bytes_ += 4 * (mask.tokens.size() + mask.bits.size() + mask.leaves.size());
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

std::shared_ptr<const MaskBits> StateSpace::mask(int32_t state) {
  const std::lock_guard lock(mutex_);
  if (state != start_) state = look_alike(state);
  if (const auto found = mask_index_.find(state); found != mask_index_.end()) {
    masks_.splice(masks_.begin(), masks_, found->second);
    return found->second->bits;
  }
  masks_.push_front({state, find_mask(state)});
  mask_index_[state] = masks_.begin();
  while (masks_.size() > 16 && masks_.size() * trie_->mask_words() * sizeof(uint32_t) > kMaxMaskBytes) {
    mask_index_.erase(masks_.back().state);
    masks_.pop_back();
  }
  bytes_ = count_bytes();
  return masks_.front().bits;
}

size_t StateSpace::count_bytes() const {
  return stacks_.size() * 88 + states_.size() * 128 + config_count_ * sizeof(Config) + next_.size() * sizeof(int32_t) +
         node_mask_bytes_ + masks_.size() * trie_->mask_words() * sizeof(uint32_t);
}

}  // namespace caravel::grammar
