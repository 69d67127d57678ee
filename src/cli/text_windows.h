#pragma once

#include <cstddef>
#include <vector>

namespace caravel::cli {

/// A part of a text that is computed by itself: tokens [begin, end), of which [scored, end) are predicted, each from
/// those before it in the window. begin < scored < end.
struct TextWindow {
  size_t begin = 0;
  size_t scored = 0;
  size_t end = 0;

  size_t size() const { return end - begin; }
  bool operator==(const TextWindow&) const = default;
};

// The windows of a text of `tokens` tokens, in order. A token is predicted in one of them at most, the text's first one
// in none.

/// llama-perplexity's: side by side, `size` (>= 3) tokens each, of which those after the first of the second half are
/// predicted. Tokens behind the last whole window are left out.
std::vector<TextWindow> llama_cpp_windows(size_t tokens, size_t size);

/// Those of llama-perplexity --ppl-stride: each begins `stride` (1 to size - 1) after the one before it, and its last
/// `stride` tokens are predicted. `size` comes from llama_cpp_strided_size(). None reaches the text's last token.
std::vector<TextWindow> llama_cpp_strided_windows(size_t tokens, size_t size, size_t stride);

/// The size that llama-perplexity's windows have with these flags: half a stride more, rounded up to whole 256 tokens.
size_t llama_cpp_strided_size(size_t ctx_size, size_t stride);

/// Those of the sliding window in transformers' documentation: each begins `stride` (1 to size) after the one before
/// it; what is new in it is predicted, and the rest is its context. The last one ends where the text does.
std::vector<TextWindow> sliding_windows(size_t tokens, size_t size, size_t stride);

}  // namespace caravel::cli
