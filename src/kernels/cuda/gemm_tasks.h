#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "device/tensor.h"
#include "kernels/activation.h"
#include "kernels/cuda/normed_rows.h"
#include "kernels/expert_gemm.h"
#include "kernels/kv_cache.h"
#include "kernels/packed_weight.h"
#include "kernels/rms_norm.h"

namespace caravel {
class CudaDevice;
}

namespace caravel::kernels::cuda {

struct ChoiceInGemm;
/// Of whose experts a grouped GEMM may choose itself.
inline constexpr int kMostTokensChosen = 8;
inline constexpr int kMostExpertsChosen = 256;

/// What becomes of the sums of a weight's rows.
enum class GemmUse : uint8_t { kPlain, kGated, kActivated, kQkv };

/// The ops of kernels/gemm.h, kernels/qkv_gemm.h, kernels/expert_gemm.h and kernels/head_gemm.h as one.
struct GemmTask {
  const PackedWeight* weight = nullptr;
  const ExpertTable* table = nullptr;  // of a weight of experts: whose rows are whose
  bool table_is_settled = false;       // ExpertGemmArgs
  // Of few tokens: the table is not there yet, and inputs are all tokens' rows, which are whose this chooses itself.
  const ChoiceInGemm* choice = nullptr;
  int64_t head_stride = 0;                // HeadGemmArgs; 0: the weight is not one of heads
  GemmInput input;                        // rows of its form
  const SquareSum* input_sums = nullptr;  // of normed ones: what sums are to be divided by
  const float* bias = nullptr;
  GemmUse use = GemmUse::kPlain;
  Activation activation = Activation::kSilu;
  bool accumulate = false;
  Tensor out;                               // f32 or BF16 [tokens, outputs]
  NextNorm next;                            // taken where joins_norm()
  const RotaryCacheArgs* rotary = nullptr;  // of kQkv; taken where joins_heads()
};

/// Checks it, and has the kernels for it launched. Whatever its kernels do not take is done behind them.
void run_gemm(Stream& stream, GemmTask task);
/// What gated_expert_gemm() runs.
GemmTask gated_expert_task(const GatedExpertGemmArgs& args);

/// Whether weights are made BF16 on their way.
bool converts(const PackedWeight& weight);

/// Whether a norm of the output may be taken into a kernel that stores by four rows and adds to f32 rows.
bool joins_norm(const GemmTask& task);
/// Whether rotation and the KV cache may be taken into such a kernel, which has 64 rows of a tile at most: the two of
/// every pair, not a whole head.
bool joins_heads(const GemmTask& task, const CudaDevice& device);
/// Tokens of a tile up to which that is so: of more, BF16 weights leave few registers for heads; of others, two warps
/// would take long over all tokens.
CARAVEL_HOST_DEVICE constexpr int64_t most_joined_tokens(bool converts) { return converts ? 8 : 192; }

/// Whether a grouped GEMM, of which that is said that is known before the router has run, may choose experts itself.
bool chooses_experts(const GemmTask& task, const RouterRule& rule, const CudaDevice& device);

/// Tokens of the tiles that tile_gemm() takes.
int tile_tokens(const GemmTask& task, const CudaDevice& device);

/// By tensor cores, of weights that are all BF16 and of BF16 inputs: each sum over the inputs in order, sixteen at a
/// time, whatever tile and number of tokens it belongs to.
void tile_gemm(Stream& stream, const GemmTask& task);

/// The same of weights that are not, rounded to BF16 on their way: each sum in four parts of neighbouring inputs, which
/// are added up in order.
void fragment_gemm(Stream& stream, const GemmTask& task);
/// Of a task with a table.
void expert_fragment_gemm(Stream& stream, const GemmTask& task);

/// What either gives, to the bit, without what sm_90 alone has: for every other GPU from sm_80 on, and for heads, which
/// are small.
void warp_gemm(Stream& stream, const GemmTask& task);

/// Whether one of these takes the weight; else it is plain_gemm()'s: where a part is F32, or where rows of BF16 inputs
/// do not begin at multiples of 16 bytes.
bool takes_tile_gemm(const PackedWeight& weight);

/// By fused multiply-adds, exact products of f32: a warp makes a row's sums, in which each lane takes every 32nd input.
void plain_gemm(Stream& stream, const GemmTask& task);

/// Of a weight of heads, whose matrices are the z dimension of a grid: how many there are; else 1.
inline int heads_of(const GemmTask& task) { return task.head_stride > 0 ? task.weight->experts() : 1; }

}  // namespace caravel::kernels::cuda
