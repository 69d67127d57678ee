#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "fields/json.h"

namespace caravel::cli {

/// Tokens of one request.
struct RequestLengths {
  int input = 0;
  int output = 0;
};

/// Lengths as people's conversations with chatbots have them: log-normal, with the mean input of 161 and output of 338
/// tokens that the vLLM paper gives for ShareGPT (SOSP'23, Fig. 11). The spread, sigma 1.2 and 0.8, is ours: near its
/// histograms, a long tail of inputs, fewer short outputs. Cut to 4..1024 tokens, as vLLM's benchmark prunes the data.
std::vector<RequestLengths> sharegpt_like_lengths(int count, uint64_t seed);

/// Inputs and outputs of low..high tokens, each length as likely. Throws InvalidArgument.
std::vector<RequestLengths> range_lengths(int count, std::pair<int, int> input, std::pair<int, int> output,
                                          uint64_t seed);

/// When `count` requests leave, in seconds from the start: a Poisson process of `rate` per second; all at 0 without
/// one.
std::vector<double> poisson_arrivals(int count, double rate, uint64_t seed);

/// What one request asks for. `prompt`: text, token ids, or chat messages.
struct PlannedRequest {
  Json prompt;
  RequestLengths lengths;  // input 0: not known
};

/// Random token ids from 256 (below lie bytes and control tokens) to `last`: exactly as many as asked for, whatever the
/// tokenizer.
Json random_ids(int count, int last, std::mt19937_64& random);

/// Random everyday words, which common vocabularies hold as one token each.
std::string random_words(int count, std::mt19937_64& random);

/// Prompts of a file: ShareGPT's JSON (an array of {"conversations": [{"from", "value"}, ...]}: the first turn is the
/// prompt), or lines of JSON, each such an object or one with "prompt" or "messages", and "output_len" or "max_tokens".
/// Those that lack a turn are passed over; `count` are drawn, again from the start where there are fewer. Output
/// lengths: `output` where given, else the line's own, else that of the second turn at four bytes a token. Throws
/// FormatError.
std::vector<PlannedRequest> read_dataset(const std::string& path, int count, std::optional<int> output, uint64_t seed);

}  // namespace caravel::cli
