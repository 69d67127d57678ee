#include "kernels/gemm.h"

#include <algorithm>

#include "base/check.h"
#include "device/cuda/cuda_device.h"
#include "kernels/cuda/gemm_tasks.h"
#include "kernels/cuda/tile_plan.h"
#include "kernels/expert_gemm.h"
#include "kernels/head_gemm.h"
#include "kernels/qkv_gemm.h"

namespace caravel::kernels::cuda {
namespace {

/// What a GEMM reads next, as rows.
Tensor rows_of(const GemmInput& out, int64_t tokens, int64_t width) {
  CARAVEL_CHECK_EQ(out.tokens, tokens);
  CARAVEL_CHECK_EQ(out.width, width);
  CARAVEL_CHECK(!out.normed);
  CARAVEL_CHECK(out.form == InputForm::kF32 || out.form == InputForm::kBf16);
  return make_tensor(out.data, out.form == InputForm::kF32 ? DType::kF32 : DType::kBF16, tokens, width);
}

/// Of the outputs of a weight of gate and up.
int64_t gated_width(const PackedWeight& weight) {
  const std::span<const PackedWeight::Part> parts = weight.parts();
  CARAVEL_CHECK_EQ(parts.size(), size_t{2});
  CARAVEL_CHECK_EQ(parts[0].rows, parts[1].rows);
  return parts[0].rows;
}

}  // namespace

void run_gemm(Stream& stream, GemmTask task) {
  CARAVEL_CHECK(task.input.form == task.weight->input_form());
  CARAVEL_CHECK_EQ(task.input.width, heads_of(task) * task.weight->in());
  CARAVEL_CHECK(task.out.dtype == DType::kF32 || task.out.dtype == DType::kBF16);
  CARAVEL_CHECK_GE(task.out.rows, task.input.tokens);
  CARAVEL_CHECK_GE(task.out.stride, task.out.width);
  CARAVEL_CHECK_EQ(task.weight->experts(), task.table != nullptr ? task.table->experts : heads_of(task));
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
  } else if (!has_warpgroups || task.head_stride > 0) {
    warp_gemm(stream, task);
  } else if (converts(*task.weight)) {
    (task.table != nullptr ? expert_fragment_gemm : fragment_gemm)(stream, task);
  } else {
    tile_gemm(stream, task);
  }
  if (task.next.weight == nullptr) next_norm(stream, task.out, next);
}

bool converts(const PackedWeight& weight) {
  return std::ranges::any_of(weight.parts(), [](const PackedWeight::Part& part) { return part.dtype != DType::kBF16; });
}

bool joins_norm(const GemmTask& task) {
  if (converts(*task.weight) && task.input.tokens > most_joined_tokens(true)) return false;
  const NextNorm& next = task.next;
  if (next.weight == nullptr || next.out.form != InputForm::kBf16) return false;
  if (task.use != GemmUse::kPlain || !task.accumulate || task.out.dtype != DType::kF32) return false;
  for (const PackedWeight::Part& part : task.weight->parts()) {
    if (part.rows % 8 != 0) return false;
  }
  const uintptr_t addresses = reinterpret_cast<uintptr_t>(next.weight) | reinterpret_cast<uintptr_t>(task.out.data);
  return takes_tile_gemm(*task.weight) && addresses % 16 == 0 && task.out.stride % 4 == 0;
}

bool chooses_experts(const GemmTask& task, const RouterRule& rule, const CudaDevice& device) {
  return device.has_warpgroups() && task.table->tokens <= kMostTokensChosen && rule.experts <= kMostExpertsChosen &&
         rule.groups == 1 && takes_tile_gemm(*task.weight) && !converts(*task.weight);
}

int tile_tokens(const GemmTask& task, const CudaDevice& device) {
  return plan_tiles(task.weight->parts(), task.weight->in(), {.tokens = task.input.tokens}, task.use == GemmUse::kGated,
                    device.num_sms(), static_cast<int>(device.max_shared_bytes()))
      .tokens;
}

DType product_dtype() { return DType::kBF16; }

void gemm(Stream& stream, const GemmArgs& args) {
  CARAVEL_CHECK_EQ(args.out.width, args.weight->out());
  if (args.next.weight != nullptr) {
    CARAVEL_CHECK(args.next.out.normed);
    CARAVEL_CHECK_EQ(args.next.out.tokens, args.input.tokens);
    CARAVEL_CHECK_EQ(args.next.out.width, args.out.width);
  }
  run_gemm(stream, {.weight = args.weight,
                    .input = args.input,
                    .bias = args.bias,
                    .accumulate = args.accumulate,
                    .out = args.out,
                    .next = args.next});
}

void qkv_gemm(Stream& stream, const QkvGemmArgs& args) {
  CARAVEL_CHECK_EQ(args.rotary.qkv.width, args.weight->out());
  CARAVEL_CHECK_EQ(args.rotary.qkv.width,
                   (int64_t{args.rotary.heads} + 2 * args.rotary.cache.kv_heads) * args.rotary.cache.head_dim);
  CARAVEL_CHECK_EQ(args.rotary.qkv.rows, args.input.tokens);
  GemmTask task{.weight = args.weight, .input = args.input, .bias = args.bias, .out = args.rotary.qkv};
  task.rotary = &args.rotary;
  const CudaDevice& device = as_cuda(stream).device();
  if (device.has_warpgroups() && joins_heads(task, device)) {
    task.use = GemmUse::kQkv;
    run_gemm(stream, task);
    return;
  }
  task.rotary = nullptr;
  run_gemm(stream, task);
  stream.region("rotary, cache");
  rotary_cache(stream, args.rotary);
}

void gated_gemm(Stream& stream, const GatedGemmArgs& args) {
  run_gemm(stream, {.weight = args.weight,
                    .input = args.input,
                    .bias = args.bias,
                    .use = GemmUse::kGated,
                    .activation = args.activation,
                    .out = rows_of(args.out, args.input.tokens, gated_width(*args.weight))});
}

void activated_gemm(Stream& stream, const ActivatedGemmArgs& args) {
  CARAVEL_CHECK_EQ(args.weight->parts().size(), size_t{1});
  run_gemm(stream, {.weight = args.weight,
                    .input = args.input,
                    .bias = args.bias,
                    .use = GemmUse::kActivated,
                    .activation = args.activation,
                    .out = rows_of(args.out, args.input.tokens, args.weight->out())});
}

GemmTask gated_expert_task(const GatedExpertGemmArgs& args) {
  CARAVEL_CHECK_EQ(args.input.tokens, args.table.row_count());
  return {.weight = args.weight,
          .table = &args.table,
          .input = args.input,
          .bias = args.bias,
          .use = GemmUse::kGated,
          .activation = args.activation,
          .out = rows_of(args.out, args.input.tokens, gated_width(*args.weight))};
}

void gated_expert_gemm(Stream& stream, const GatedExpertGemmArgs& args) { run_gemm(stream, gated_expert_task(args)); }

void head_gemm(Stream& stream, const HeadGemmArgs& args) {
  CARAVEL_CHECK(!args.input.normed);
  CARAVEL_CHECK_GE(args.head_stride, args.weight->out());
  CARAVEL_CHECK_GE(args.out.width, (args.weight->experts() - 1) * args.head_stride + args.weight->out());
  run_gemm(stream, {.weight = args.weight, .head_stride = args.head_stride, .input = args.input, .out = args.out});
}

void expert_gemm(Stream& stream, const ExpertGemmArgs& args) {
  CARAVEL_CHECK_EQ(args.input.tokens, args.table.row_count());
  CARAVEL_CHECK_EQ(args.out.width, args.weight->out());
  run_gemm(stream, {.weight = args.weight,
                    .table = &args.table,
                    .table_is_settled = args.table_is_settled,
                    .input = args.input,
                    .bias = args.bias,
                    .out = args.out});
}

}  // namespace caravel::kernels::cuda
