#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/step.h"

namespace caravel::engine {

/// Writes values one after the other.
class ByteWriter {
 public:
  template <typename T>
  void operator()(const T& value) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    } else {
      fields(*this, value);
    }
  }
  template <typename A, typename B>
  void operator()(const std::pair<A, B>& pair) {
    (*this)(pair.first);
    (*this)(pair.second);
  }
  template <typename T>
  void operator()(const std::vector<T>& values) {
    (*this)(values.size());
    for (const T& value : values) (*this)(value);
  }
  void operator()(const sampler::BadWords& words) { (*this)(words.words()); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads them again, in the same order.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  void operator()(T& value) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      std::memcpy(&value, bytes_.substr(0, sizeof(T)).data(), sizeof(T));
      bytes_.remove_prefix(sizeof(T));
    } else {
      fields(*this, value);
    }
  }
  template <typename A, typename B>
  void operator()(std::pair<A, B>& pair) {
    (*this)(pair.first);
    (*this)(pair.second);
  }
  template <typename T>
  void operator()(std::vector<T>& values) {
    size_t count = 0;
    (*this)(count);
    values.resize(count);
    for (T& value : values) (*this)(value);
  }
  void operator()(sampler::BadWords& words) {
    std::vector<std::vector<int32_t>> all;
    (*this)(all);
    words = sampler::BadWords(std::move(all));
  }
  bool done() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

template <typename Visit, typename Rules>
  requires std::is_same_v<std::remove_const_t<Rules>, sampler::SamplingRules>
void fields(Visit& visit, Rules& rules) {
  auto& [max_tokens, min_tokens, temperature, top_k, top_p, min_p, xtc_probability, xtc_threshold, typical_p,
         repetition_penalty, presence_penalty, frequency_penalty, logit_bias, allowed_token_ids, seed, end_ids,
         bad_words] = rules;
  visit(max_tokens), visit(min_tokens), visit(temperature), visit(top_k), visit(top_p), visit(min_p);
  visit(xtc_probability), visit(xtc_threshold), visit(typical_p), visit(repetition_penalty);
  visit(presence_penalty), visit(frequency_penalty), visit(logit_bias), visit(allowed_token_ids), visit(seed);
  visit(end_ids), visit(bad_words);
}

template <typename Visit, typename Step>
  requires std::is_same_v<std::remove_const_t<Step>, StepInput>
void fields(Visit& visit, Step& step) {
  auto& [number, swap_outs, swap_ins, copies, entries, rows, tokens, shared_blocks, wants, states] = step;
  visit(number), visit(swap_outs), visit(swap_ins), visit(copies), visit(entries), visit(rows), visit(tokens);
  visit(shared_blocks), visit(wants), visit(states);
}

template <typename Visit, typename Draws>
  requires std::is_same_v<std::remove_const_t<Draws>, DrawInput>
void fields(Visit& visit, Draws& input) {
  auto& [number, rules, prompts, begins, keeps, draws, masks] = input;
  visit(number), visit(rules), visit(prompts), visit(begins), visit(keeps), visit(draws), visit(masks);
}

template <typename Visit, typename Output>
  requires std::is_same_v<std::remove_const_t<Output>, StepOutput>
void fields(Visit& visit, Output& output) {
  auto& [number, wanted, drawn, top, states] = output;
  visit(number), visit(wanted), visit(drawn), visit(top), visit(states);
}

/// What came out of bytes that the value was written to.
template <typename T>
T by_bytes(const T& value) {
  ByteWriter writer;
  writer(value);
  const std::string bytes = writer.take();
  ByteReader reader(bytes);
  T copy;
  reader(copy);
  if (!reader.done()) throw std::runtime_error("bytes are left over");
  return copy;
}

}  // namespace caravel::engine
