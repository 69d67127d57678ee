#include "kernels/gemm.h"

#include "base/check.h"
#include "device/cuda/cuda_device.h"
#include "kernels/cuda/gemm_tasks.h"

namespace caravel::kernels::cuda {
namespace {

void run(Stream& stream, GemmTask task) {
  CARAVEL_CHECK(task.input.form == task.weight->input_form());
  CARAVEL_CHECK_EQ(task.input.width, task.weight->in());
  CARAVEL_CHECK(task.out.dtype == DType::kF32 || task.out.dtype == DType::kBF16);
  CARAVEL_CHECK_GE(task.out.rows, task.input.tokens);
  CARAVEL_CHECK_GE(task.out.stride, task.out.width);
  if (task.input.tokens == 0) return;
  if (task.input.normed) {
    const NormedRows rows = normed_rows(task.input);
    task.input_sums = rows.sums;
    task.input.data = rows.rows;
  }
  const bool has_warpgroups = as_cuda(stream).device().has_warpgroups();
  const NextNorm next = task.next;
  if (!has_warpgroups || !joins_norm(task)) task.next = {};
  if (!takes_tile_gemm(*task.weight)) {
    plain_gemm(stream, task);
  } else if (has_warpgroups) {
    tile_gemm(stream, task);
  } else {
    warp_gemm(stream, task);
  }
  if (task.next.weight == nullptr) next_norm(stream, task.out, next);
}

/// What a GEMM reads next, as rows.
Tensor rows_of(const GemmInput& out, int64_t tokens, int64_t width) {
  CARAVEL_CHECK_EQ(out.tokens, tokens);
  CARAVEL_CHECK_EQ(out.width, width);
  CARAVEL_CHECK(!out.normed);
  CARAVEL_CHECK(out.form == InputForm::kF32 || out.form == InputForm::kBf16);
  return make_tensor(out.data, out.form == InputForm::kF32 ? DType::kF32 : DType::kBF16, tokens, width);
}

}  // namespace

bool joins_norm(const GemmTask& task) {
  const NextNorm& next = task.next;
  if (next.weight == nullptr || next.out.form != InputForm::kBf16) return false;
  if (task.use != GemmUse::kPlain || !task.accumulate || task.out.dtype != DType::kF32) return false;
  for (const PackedWeight::Part& part : task.weight->parts()) {
    if (part.rows % 8 != 0) return false;
  }
  const uintptr_t addresses = reinterpret_cast<uintptr_t>(next.weight) | reinterpret_cast<uintptr_t>(task.out.data);
  return takes_tile_gemm(*task.weight) && addresses % 16 == 0 && task.out.stride % 4 == 0;
}

DType product_dtype() { return DType::kBF16; }

void gemm(Stream& stream, const GemmArgs& args) {
  CARAVEL_CHECK_EQ(args.out.width, args.weight->out());
  if (args.next.weight != nullptr) {
    CARAVEL_CHECK(args.next.out.normed);
    CARAVEL_CHECK_EQ(args.next.out.tokens, args.input.tokens);
    CARAVEL_CHECK_EQ(args.next.out.width, args.out.width);
  }
  run(stream, {.weight = args.weight,
               .input = args.input,
               .bias = args.bias,
               .accumulate = args.accumulate,
               .out = args.out,
               .next = args.next});
}

void gated_gemm(Stream& stream, const GatedGemmArgs& args) {
  const std::span<const PackedWeight::Part> parts = args.weight->parts();
  CARAVEL_CHECK_EQ(parts.size(), size_t{2});
  CARAVEL_CHECK_EQ(parts[0].rows, parts[1].rows);
  run(stream, {.weight = args.weight,
               .input = args.input,
               .bias = args.bias,
               .use = GemmUse::kGated,
               .activation = args.activation,
               .out = rows_of(args.out, args.input.tokens, parts[0].rows)});
}

void activated_gemm(Stream& stream, const ActivatedGemmArgs& args) {
  CARAVEL_CHECK_EQ(args.weight->parts().size(), size_t{1});
  run(stream, {.weight = args.weight,
               .input = args.input,
               .bias = args.bias,
               .use = GemmUse::kActivated,
               .activation = args.activation,
               .out = rows_of(args.out, args.input.tokens, args.weight->out())});
}

}  // namespace caravel::kernels::cuda
