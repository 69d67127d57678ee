#pragma once

#include <cstdint>
#include <span>

#include "device/device.h"
#include "sampler/draw.h"

namespace caravel::sampler::cuda {

/// A token that occurs in a sequence.
struct CountedToken {
  int32_t token;
  int32_t in_output;  // how often; 0: in the prompt alone
};

/// What drawing for one sequence needs to know of it, as it lies in a GPU's memory: SamplingRules and SamplingState,
/// and where their lists are.
struct DrawState {
  float temperature = 0;
  float top_p = 1;
  float min_p = 0;
  float typical_p = 1;
  float xtc_probability = 0;
  float xtc_threshold = 0;
  float repetition_penalty = 1;
  float presence_penalty = 0;
  float frequency_penalty = 0;
  int32_t top_k = 0;
  uint64_t seed = 0;
  uint32_t index = 0;

  int64_t tokens = 0;         // prompt and output together
  int64_t tokens_to_end = 0;  // how many there are when end_ids may be drawn

  int32_t ends = 0;
  int32_t words = 0;
  int32_t biases = 0;
  const int32_t* end_ids = nullptr;      // [ends]
  const int32_t* word_begins = nullptr;  // [words + 1]: where a bad word's tokens begin in word_tokens
  const int32_t* word_tokens = nullptr;
  int32_t* recent = nullptr;  // [recent_room]: token i of the sequence lies at i % recent_room, of the last ones
  int64_t recent_room = 0;    // a power of two, and enough for the longest bad word
  const int32_t* bias_tokens = nullptr;  // [biases]: equal ones side by side, in the order in which they are added
  const float* bias_values = nullptr;    // [biases]
  const uint32_t* allowed = nullptr;     // a bit for each token, or nullptr: all
  int32_t first_allowed = 0;

  // Which tokens occur: where penalties are in use.
  int32_t counted = 0;
  int32_t count_room = 0;
  CountedToken* counts = nullptr;  // [count_room]

  float* saved = nullptr;  // [ends + words + biases + count_room]: logits that are changed for a draw
};

// Each enqueues one launch. Host arguments are read at once.

void write_state(Stream& stream, DrawState* to, const DrawState& state);
/// Copies words to the device's memory through the launches' own arguments, so that nothing has to stay.
void write_words(Stream& stream, uint32_t* to, std::span<const uint32_t> words);
void draw_rows(Stream& stream, const DrawArgs& args, DrawState* states);

}  // namespace caravel::sampler::cuda
