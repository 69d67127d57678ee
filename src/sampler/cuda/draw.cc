#include "sampler/draw.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>
#include <vector>

#include "sampler/cuda/draw_state.h"
#include "sampler/token_bits.h"
#include "sampler/token_counts.h"

namespace caravel::sampler::cuda {

std::unique_ptr<Drawer> make_drawer(Device& device, int64_t vocab_size);

namespace {

/// A slot's lists, one after the other: 32-bit words that are brought to the device together, and behind them what is
/// written there first.
class Lists {
 public:
  /// Where the list begins, in words.
  template <typename T>
  size_t add(std::span<const T> values) {
    static_assert(sizeof(T) == sizeof(uint32_t));
    const size_t begin = words_.size();
    for (const T& value : values) words_.push_back(std::bit_cast<uint32_t>(value));
    return begin;
  }
  std::span<const uint32_t> words() const { return words_; }

 private:
  std::vector<uint32_t> words_;
};

/// Slots change as kernels run. Their lists lie in memory that goes from slot to slot: commands that are enqueued later
/// overwrite it later.
class CudaDrawer final : public Drawer {
 public:
  CudaDrawer(Device& device, int64_t vocab_size) : device_(device), vocab_size_(vocab_size) {}

  void begin(Stream& stream, const DrawBegin& begin) override;
  void draw(Stream& stream, const DrawArgs& args) override { draw_rows(stream, args, states()); }

 private:
  DrawState* states() const { return states_.empty() ? nullptr : states_.back().address<DrawState>(); }
  void make_room(Stream& stream, size_t slots);
  Buffer take(size_t bytes);

  Device& device_;
  const int64_t vocab_size_;
  std::vector<Buffer> states_;  // DrawState [slots]: the last one, and shorter ones that commands may still read
  std::vector<Buffer> lists_;   // by slot
  std::map<size_t, std::vector<Buffer>> spare_;  // by size
};

void CudaDrawer::make_room(Stream& stream, size_t slots) {
  if (slots <= lists_.size()) return;
  slots = std::max<size_t>({slots, 2 * lists_.size(), 64});
  Buffer states = device_.allocate(slots * sizeof(DrawState));
  if (!states_.empty()) stream.copy(states.address(), states_.back().address(), states_.back().size());
  states_.push_back(std::move(states));
  lists_.resize(slots);
}

Buffer CudaDrawer::take(size_t bytes) {
  const size_t size = std::bit_ceil(std::max<size_t>(bytes, 1024));
  std::vector<Buffer>& spare = spare_[size];
  if (spare.empty()) return device_.allocate(size);
  Buffer buffer = std::move(spare.back());
  spare.pop_back();
  return buffer;
}

void CudaDrawer::begin(Stream& stream, const DrawBegin& begin) {
  const SamplingRules& rules = *begin.rules;
  const auto slot = static_cast<size_t>(begin.slot);
  make_room(stream, slot + 1);

  DrawState state = {.temperature = rules.temperature,
                     .top_p = rules.top_p,
                     .min_p = rules.min_p,
                     .typical_p = rules.typical_p,
                     .xtc_probability = rules.xtc_probability,
                     .xtc_threshold = rules.xtc_threshold,
                     .repetition_penalty = rules.repetition_penalty,
                     .presence_penalty = rules.presence_penalty,
                     .frequency_penalty = rules.frequency_penalty,
                     .top_k = rules.top_k,
                     .seed = rules.seed,
                     .index = begin.index,
                     .tokens = static_cast<int64_t>(begin.prompt.size())};
  state.tokens_to_end = state.tokens + rules.min_tokens;
  Lists lists;

  size_t end_ids = 0;
  if (rules.min_tokens > 0) {
    end_ids = lists.add(std::span<const int32_t>(rules.end_ids));
    state.ends = static_cast<int32_t>(rules.end_ids.size());
  }

  size_t word_begins = 0;
  size_t word_tokens = 0;
  size_t recent = 0;
  if (!rules.bad_words.empty()) {
    std::vector<int32_t> begins = {0};
    std::vector<int32_t> tokens;
    size_t longest = 1;
    for (const auto& word : rules.bad_words.words()) {
      tokens.insert(tokens.end(), word.begin(), word.end());
      begins.push_back(static_cast<int32_t>(tokens.size()));
      longest = std::max(longest, word.size());
    }
    state.words = static_cast<int32_t>(begins.size() - 1);
    word_begins = lists.add(std::span<const int32_t>(begins));
    word_tokens = lists.add(std::span<const int32_t>(tokens));
    const size_t room = std::bit_ceil(longest);
    std::vector<int32_t> last(room, -1);
    const size_t prompt = begin.prompt.size();
    for (size_t i = prompt - std::min(prompt, room); i < prompt; ++i) last[i % room] = begin.prompt[i];
    recent = lists.add(std::span<const int32_t>(last));
    state.recent_room = static_cast<int64_t>(room);
  }

  std::vector<std::pair<int32_t, float>> biases = rules.logit_bias;
  std::ranges::stable_sort(biases, {}, &std::pair<int32_t, float>::first);
  std::vector<int32_t> tokens;
  std::vector<float> values;
  for (const auto& [token, value] : biases) {
    tokens.push_back(token);
    values.push_back(value);
  }
  const size_t bias_tokens = lists.add(std::span<const int32_t>(tokens));
  const size_t bias_values = lists.add(std::span<const float>(values));
  state.biases = static_cast<int32_t>(biases.size());

  size_t allowed = 0;
  if (!rules.allowed_token_ids.empty()) {
    std::vector<uint32_t> bits(words_of(static_cast<size_t>(vocab_size_)));
    for (const int32_t token : rules.allowed_token_ids) bits[static_cast<size_t>(token) / 32] |= 1U << token % 32;
    allowed = lists.add(std::span<const uint32_t>(bits));
    state.first_allowed = rules.allowed_token_ids.front();
  }

  size_t counts = 0;
  if (rules.repetition_penalty != 1.0F || rules.presence_penalty != 0.0F || rules.frequency_penalty != 0.0F) {
    TokenCounts of_prompt;
    if (rules.repetition_penalty != 1.0F) of_prompt.add_prompt(begin.prompt);
    std::vector<int32_t> counted;
    for (const TokenCounts::Entry& entry : of_prompt.entries()) counted.insert(counted.end(), {entry.token, 0});
    state.counted = static_cast<int32_t>(of_prompt.entries().size());
    // Steps in flight may draw a few more than are wanted.
    constexpr int64_t kMore = 64;
    const int64_t most = std::min(int64_t{state.counted} + std::max(rules.max_tokens, 0) + kMore, vocab_size_);
    state.count_room = static_cast<int32_t>(std::max<int64_t>(most, state.counted));
    counts = lists.add(std::span<const int32_t>(counted));
  }

  // Behind what is brought over: counted tokens to come, and logits that are changed.
  const size_t saved = lists.words().size() + 2 * static_cast<size_t>(state.count_room - state.counted);
  const size_t words = saved + static_cast<size_t>(state.ends + state.words + state.biases + state.count_room);
  if (lists_[slot]) {
    std::vector<Buffer>& spare = spare_[lists_[slot].size()];
    spare.push_back(std::move(lists_[slot]));
    lists_[slot] = {};
  }
  if (words > 0) {
    lists_[slot] = take(words * sizeof(uint32_t));
    auto* const base = lists_[slot].address<uint32_t>();
    write_words(stream, base, lists.words());
    const auto at = [&]<typename T>(T*& list, size_t word) { list = reinterpret_cast<T*>(base + word); };
    at(state.end_ids, end_ids);
    at(state.word_begins, word_begins);
    at(state.word_tokens, word_tokens);
    at(state.recent, recent);
    at(state.bias_tokens, bias_tokens);
    at(state.bias_values, bias_values);
    if (!rules.allowed_token_ids.empty()) at(state.allowed, allowed);
    at(state.counts, counts);
    at(state.saved, saved);
  }
  write_state(stream, states() + slot, state);
}

}  // namespace

std::unique_ptr<Drawer> make_drawer(Device& device, int64_t vocab_size) {
  return std::make_unique<CudaDrawer>(device, vocab_size);
}

}  // namespace caravel::sampler::cuda
