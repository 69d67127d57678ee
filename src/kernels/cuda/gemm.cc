#include "kernels/gemm.h"

#include "base/check.h"
#include "device/cuda/cuda_device.h"
#include "kernels/cuda/gemm_tasks.h"

namespace caravel::kernels::cuda {
namespace {

void run(Stream& stream, const GemmTask& task) {
  CARAVEL_CHECK(task.input.form == task.weight->input_form());
  CARAVEL_CHECK_EQ(task.input.width, task.weight->in());
  CARAVEL_CHECK(task.out.dtype == DType::kF32 || task.out.dtype == DType::kBF16);
  CARAVEL_CHECK_GE(task.out.rows, task.input.tokens);
  CARAVEL_CHECK_GE(task.out.stride, task.out.width);
  if (task.input.tokens == 0) return;
  if (!takes_tile_gemm(*task.weight)) {
    plain_gemm(stream, task);
  } else if (as_cuda(stream).device().has_warpgroups()) {
    tile_gemm(stream, task);
  } else {
    warp_gemm(stream, task);
  }
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

DType product_dtype() { return DType::kBF16; }

void gemm(Stream& stream, const GemmArgs& args) {
  CARAVEL_CHECK_EQ(args.out.width, args.weight->out());
  run(stream,
      {.weight = args.weight, .input = args.input, .bias = args.bias, .accumulate = args.accumulate, .out = args.out});
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
