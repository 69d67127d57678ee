#include "kernels/gemm_input.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/quantize_input_args.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(quantize_input, QuantizeInputArgs)

namespace cpu {
namespace {

constexpr size_t kAlignment = 64;

/// Tokens up to which a rank makes its own copy of a normed input: some microseconds' work.
constexpr int64_t kOwnCopyTokens = 8;

size_t aligned(int64_t bytes) { return (static_cast<size_t>(bytes) + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

size_t gemm_input_bytes(InputForm form, int64_t tokens, int64_t width) {
  if (form == InputForm::kF32) return aligned(tokens * width * 4);
  const int64_t blocks = tokens * (width / 32);
  return aligned(tokens * width) + 3 * aligned(blocks * 4);
}

size_t normed_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width) {
  const auto ranks = static_cast<size_t>(as_cpu(device).pool().size());
  return std::max(gemm_input_bytes(form, tokens, width), ranks * gemm_input_bytes(form, kOwnCopyTokens, width));
}

void quantize_input(Stream& stream, const float* x, int64_t tokens, const GemmInput& out) {
  enqueue_quantize_input(stream, {x, tokens, out});
}

}  // namespace cpu

GemmInput make_gemm_input(InputForm form, int64_t tokens, int64_t width, std::byte* memory) {
  GemmInput input{.form = form, .width = width};
  if (form == InputForm::kF32) {
    input.f32 = reinterpret_cast<float*>(memory);
    return input;
  }
  CARAVEL_CHECK_EQ(width % 32, 0);
  const size_t per_block = cpu::aligned(tokens * (width / 32) * 4);
  std::byte* rest = memory + cpu::aligned(tokens * width);
  input.q8 = reinterpret_cast<int8_t*>(memory);
  input.scales = reinterpret_cast<float*>(rest);
  input.sums = reinterpret_cast<float*>(rest + per_block);
  input.totals = reinterpret_cast<int16_t*>(rest + 2 * per_block);
  return input;
}

GemmInput make_normed_input(InputForm form, int64_t tokens, int64_t width, std::byte* memory) {
  GemmInput input = make_gemm_input(form, tokens, width, memory);
  if (tokens <= cpu::kOwnCopyTokens)
    input.copy_bytes = static_cast<int64_t>(cpu::gemm_input_bytes(form, tokens, width));
  return input;
}

}  // namespace caravel::kernels
