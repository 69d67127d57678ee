#pragma once

#include <memory>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "fixtures.h"

namespace caravel::nuggets {

/// A tiny random model (256 tokens of context, tokens of about a letter).
inline std::unique_ptr<Engine> tiny_engine(const std::string& model = "llama") {
  return Engine::open({.model = tests::model_fixture(model),
                       .threads = 1,
                       .kv_cache_memory = 8 << 20,
                       .max_num_batched_tokens = 128,
                       .swap_space = 4 << 20,
                       .seed = 1});
}

/// The plain way: the mean log-probability of the answer's tokens, of one prompt of all tokens.
inline double plain_mean(Engine& engine, std::vector<int32_t> prompt, const std::vector<int32_t>& answer) {
  const size_t begin = prompt.size();
  prompt.insert(prompt.end(), answer.begin(), answer.end());
  Request request{.prompt = std::move(prompt), .sampling = {.max_tokens = 0, .prompt_logprobs = 0}};
  const auto handle = engine.submit(std::move(request));
  const Result& result = handle->result();
  double sum = 0;
  for (size_t i = 0; i < answer.size(); ++i) sum += result.prompt_logprobs.at(begin - 1 + i).logprob;
  return sum / static_cast<double>(answer.size());
}

}  // namespace caravel::nuggets
