#include "cli/text_windows.h"

#include <algorithm>

namespace caravel::cli {

std::vector<TextWindow> llama_cpp_windows(size_t tokens, size_t size) {
  std::vector<TextWindow> windows;
  for (size_t begin = 0; begin + size <= tokens; begin += size) {
    windows.push_back({.begin = begin, .scored = begin + size / 2 + 1, .end = begin + size});
  }
  return windows;
}

std::vector<TextWindow> llama_cpp_strided_windows(size_t tokens, size_t size, size_t stride) {
  std::vector<TextWindow> windows;
  for (size_t begin = 0; begin + size < tokens; begin += stride) {
    windows.push_back({.begin = begin, .scored = begin + size - stride, .end = begin + size});
  }
  return windows;
}

size_t llama_cpp_strided_size(size_t ctx_size, size_t stride) {
  constexpr size_t kRound = 256;  // llama.cpp's contexts
  return (ctx_size + stride / 2 + kRound - 1) / kRound * kRound;
}

std::vector<TextWindow> sliding_windows(size_t tokens, size_t size, size_t stride) {
  std::vector<TextWindow> windows;
  size_t done = 0;  // tokens of the windows so far
  for (size_t begin = 0; done < tokens; begin += stride) {
    const size_t end = std::min(begin + size, tokens);
    const size_t scored = std::max(done, begin + 1);  // a window's first token has nothing before it
    if (scored < end) windows.push_back({.begin = begin, .scored = scored, .end = end});
    done = end;
  }
  return windows;
}

}  // namespace caravel::cli
