#include "device/cuda/cuda_device.h"
#include "kernels/cuda/common.cuh"
#include "kernels/cuda/gemm_tasks.h"
#include "kernels/cuda/kv_row.cuh"
#include "kernels/cuda/kv_store.cuh"
#include "kernels/cuda/tile_layout.h"
#include "kernels/kv_cache.h"

namespace caravel::kernels::cuda {

int64_t kv_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype);
int64_t shared_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype);
void rotary_angles(Stream& stream, const RotaryAnglesArgs& args);
void rotary_cache(Stream& stream, const RotaryCacheArgs& args);
void copy_blocks(Stream& stream, const CopyBlocksArgs& args);

namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) fill_angles(RotaryAnglesArgs args) {
  follow_kernel_before();
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int pairs = args.rotary_dim / 2;
  if (i >= args.tokens * pairs) return;
  const double angle = static_cast<double>(args.positions[i / pairs]) * args.inverse_freq[i % pairs];
  double sine;
  double cosine;
  sincos(angle, &sine, &cosine);
  args.cos_sin[2 * i] = static_cast<float>(cosine * args.magnitude);
  args.cos_sin[2 * i + 1] = static_cast<float>(sine * args.magnitude);
}

/// A warp has a head at a time, in shared memory.
constexpr int kHeadsOfBlock = kThreads / kWarp;

/// What heads of a row `count` elements wide are multiplied by that is normed as a whole. By all threads of a block.
__device__ float row_factor(const BFloat16* row, int count, float epsilon) {
  const auto* const pairs = reinterpret_cast<const uint32_t*>(row);
  float sum = 0.0F;
  for (int i = static_cast<int>(threadIdx.x); i < count / 2; i += kThreads) {
    const float2 pair = unpack_pair<BFloat16>(pairs[i]);
    sum = fmaf(pair.x, pair.x, fmaf(pair.y, pair.y, sum));
  }
  return inverse_rms(reduce_block(sum, 0.0F, Sum()), count, epsilon);
}

/// One of a token's heads of Q, K or V, by a warp. norm: its weights, or nullptr; factor: its row's, of rows that are
/// normed as a whole.
__device__ void rotate_and_store_head(const RotaryCacheArgs& args, int64_t token, int unit, const float* norm,
                                      float factor, float* head, int lane) {
  const bool query = unit < args.heads;
  const bool value = unit >= args.heads + args.cache.kv_heads;
  const bool rotated = !value && args.cos_sin != nullptr && args.rotary_dim > 0;
  if (query && norm == nullptr && !rotated) return;
  const int64_t slot = query ? 0 : args.slots[token];
  if (slot < 0) return;

  const int head_dim = args.cache.head_dim;
  auto* const pairs = reinterpret_cast<uint32_t*>(static_cast<BFloat16*>(args.qkv.data) + token * args.qkv.stride +
                                                  int64_t{unit} * head_dim);
  for (int i = lane; i < head_dim / 2; i += kWarp) {
    const float2 pair = unpack_pair<BFloat16>(pairs[i]);
    head[2 * i] = pair.x;
    head[2 * i + 1] = pair.y;
  }
  __syncwarp();
  if (norm != nullptr) {
    if (!args.norms_rows) factor = head_factor(head, head_dim, args.norm_epsilon, lane);
    for (int d = lane; d < head_dim; d += kWarp) head[d] = head[d] * factor * norm[d];
    __syncwarp();
  }
  if (rotated) {
    rotate_head(head, args.cos_sin + token * args.rotary_dim, args.rotary_dim, args.style, lane);
    __syncwarp();
  }
  if (query) {
    store_pairs(reinterpret_cast<BFloat16*>(pairs), head, head_dim, head_dim, lane);
    return;
  }
  const KvLayer& cache = args.cache;
  const KvHeadLayout layout = kv_head_layout(cache.block_size, head_dim, cache.dtype);
  const KvRow row(cache, layout, slot, (unit - args.heads) % cache.kv_heads, value);
  store_head(cache.dtype, row.row,
             reinterpret_cast<float*>(row.part + layout.scales) + (value ? cache.block_size : 0) + row.offset, head,
             head_dim, layout.row_bytes, lane);
}

__global__ void __launch_bounds__(kThreads) rotate_and_store(RotaryCacheArgs args) {
  follow_kernel_before();
  __shared__ float heads[kHeadsOfBlock][kMaxHeadDim];
  const int units = args.heads + 2 * args.cache.kv_heads;  // Q heads, K heads, V heads
  const int64_t item = int64_t{blockIdx.x} * kHeadsOfBlock + threadIdx.x / kWarp;
  const int64_t token = item / units;
  if (token >= args.qkv.rows) return;
  const int unit = static_cast<int>(item - token * units);
  const float* const norm = unit < args.heads                         ? args.q_norm
                            : unit < args.heads + args.cache.kv_heads ? args.k_norm
                                                                      : nullptr;
  rotate_and_store_head(args, token, unit, norm, 1.0F, heads[threadIdx.x / kWarp],
                        static_cast<int>(threadIdx.x) % kWarp);
}

/// Whether no head is normed, and elements lie in the cache one by one, without scales, by whole pairs of pairs.
bool moves_pairs(const RotaryCacheArgs& args) {
  const KvLayer& cache = args.cache;
  if (args.q_norm != nullptr || args.k_norm != nullptr || cache.dtype == KvDtype::kInt8) return false;
  const KvHeadLayout layout = kv_head_layout(cache.block_size, cache.head_dim, cache.dtype);
  return layout.row_bytes == cache.head_dim * kv_element_bytes(cache.dtype) && args.rotary_dim % 4 == 0;
}

/// Such heads: a block has a token, a thread the same elements of several of its heads: two neighbours and, where heads
/// are rotated in halves, the two that belong to them.
__global__ void __launch_bounds__(kThreads) rotate_and_store_pairs(const __grid_constant__ RotaryCacheArgs args) {
  follow_kernel_before();
  constexpr int kAtOnce = 6;  // heads of a thread that are read before any is stored
  const KvLayer& cache = args.cache;
  const int head_dim = cache.head_dim;
  const int rotary_dim = args.cos_sin != nullptr ? args.rotary_dim : 0;
  const bool halves = args.style == RotaryStyle::kHalves;
  const int half = halves ? rotary_dim / 2 : 0;
  const int items = (head_dim - half) / 2;  // of a head
  const int at_once = kThreads / items;     // heads of a block
  const int item = static_cast<int>(threadIdx.x) % items;
  const int first_unit = static_cast<int>(threadIdx.x) / items;
  if (first_unit >= at_once) return;
  const int d = 2 * item < half ? 2 * item : 2 * item + half;  // and d + half, of the first half
  const bool rotated = d < rotary_dim;
  const bool twofold = d < half;
  const int64_t token = blockIdx.x;
  const int64_t slot = args.slots[token];
  float4 angles{};
  if (rotated) {
    const auto* const of_token = reinterpret_cast<const float2*>(args.cos_sin + token * rotary_dim);
    const float2 low = of_token[halves ? d : d / 2];
    const float2 high = halves ? of_token[d + 1] : float2{};
    angles = make_float4(low.x, low.y, high.x, high.y);
  }
  const float2 low = make_float2(angles.x, angles.y);
  const float2 high = make_float2(angles.z, angles.w);
  auto* const row = static_cast<BFloat16*>(args.qkv.data) + token * args.qkv.stride + d;
  const auto words = [&](int unit) { return reinterpret_cast<uint32_t*>(row + int64_t{unit} * head_dim); };
  const KvHeadLayout layout = kv_head_layout(cache.block_size, head_dim, cache.dtype);
  const int keys = args.heads + cache.kv_heads;  // behind Q's heads, up to here
  const int units = keys + cache.kv_heads;
  for (int begin = first_unit; begin < units; begin += kAtOnce * at_once) {
    uint32_t pairs[kAtOnce];
    uint32_t others[kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int unit = begin + i * at_once;
      if (unit >= units) break;
      pairs[i] = words(unit)[0];
      if (twofold) others[i] = words(unit)[half / 2];
    }
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int unit = begin + i * at_once;
      if (unit >= units) break;
      const bool query = unit < args.heads;
      float2 x = unpack_pair<BFloat16>(pairs[i]);
      float2 y = twofold ? unpack_pair<BFloat16>(others[i]) : float2{};
      if (rotated && unit < keys) {
        const float2 a = x;
        if (twofold) {
          x = make_float2(rotated_first(a.x, y.x, low), rotated_first(a.y, y.y, high));
          y = make_float2(rotated_second(a.x, y.x, low), rotated_second(a.y, y.y, high));
        } else {
          x = make_float2(rotated_first(a.x, a.y, low), rotated_second(a.x, a.y, low));
        }
      }
      if (query) {
        if (!rotated) continue;
        words(unit)[0] = pack_pair<BFloat16>(x.x, x.y);
        if (twofold) words(unit)[half / 2] = pack_pair<BFloat16>(y.x, y.y);
      } else if (slot >= 0) {
        const KvRow kv(cache, layout, slot, unit < keys ? unit - args.heads : unit - keys, unit >= keys);
        store_kv(cache.dtype, kv.row, d, x);
        if (twofold) store_kv(cache.dtype, kv.row, d + half, y);
      }
    }
  }
}

/// Of rows that are normed as a whole: a block has a token.
__global__ void __launch_bounds__(kThreads) norm_rows_rotate_and_store(RotaryCacheArgs args) {
  follow_kernel_before();
  __shared__ float heads[kHeadsOfBlock][kMaxHeadDim];
  const int head_dim = args.cache.head_dim;
  const int keys = args.heads + args.cache.kv_heads;  // behind Q's heads, up to here
  const int64_t token = blockIdx.x;
  const BFloat16* const row = static_cast<const BFloat16*>(args.qkv.data) + token * args.qkv.stride;
  // All threads have read the rows before any writes to them: row_factor() waits for all.
  const float q_factor = args.q_norm == nullptr ? 1.0F : row_factor(row, args.heads * head_dim, args.norm_epsilon);
  const float k_factor = args.k_norm == nullptr ? 1.0F
                                                : row_factor(row + int64_t{args.heads} * head_dim,
                                                             args.cache.kv_heads * head_dim, args.norm_epsilon);
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  for (int unit = warp; unit < keys + args.cache.kv_heads; unit += kHeadsOfBlock) {
    const bool query = unit < args.heads;
    const float* norm = query ? args.q_norm : unit < keys ? args.k_norm : nullptr;
    if (norm != nullptr) norm += int64_t{query ? unit : unit - args.heads} * head_dim;
    rotate_and_store_head(args, token, unit, norm, query ? q_factor : k_factor, heads[warp],
                          static_cast<int>(threadIdx.x) % kWarp);
    __syncwarp();  // before the next head takes the place of this one
  }
}

/// Words of a block that one thread block copies.
constexpr int64_t kCopyWords = 16 * kThreads;

template <typename Word>
__global__ void __launch_bounds__(kThreads) copy_words(CopyBlocksArgs args, int64_t words, int64_t parts) {
  const BlockCopy copy = args.copies[blockIdx.x / parts];
  const auto* const from = reinterpret_cast<const Word*>(args.src + copy.from * args.bytes);
  auto* const to = reinterpret_cast<Word*>(args.dst + copy.to * args.bytes);
  const int64_t begin = blockIdx.x % parts * kCopyWords;
  const int64_t end = begin + kCopyWords < words ? begin + kCopyWords : words;
#pragma unroll 4
  for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) to[i] = from[i];
}

template <typename Word>
void copy_as(Stream& stream, const CopyBlocksArgs& args) {
  const auto words = args.bytes / static_cast<int64_t>(sizeof(Word));
  const int64_t parts = (words + kCopyWords - 1) / kCopyWords;
  launch(stream, copy_words<Word>, dim3(blocks_for(args.count * parts, 1)), dim3(kThreads), 0, args, words, parts);
}

}  // namespace

int64_t kv_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype) {
  return (int64_t{kv_head_layout(block_size, head_dim, dtype).head_bytes} * kv_heads + 63) / 64 * 64;
}

int64_t shared_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype) {
  return (int64_t{shared_head_layout(block_size, head_dim, dtype).head_bytes} * kv_heads + 63) / 64 * 64;
}

bool joins_heads(const GemmTask& task, const CudaDevice& device) {
  const RotaryCacheArgs& args = *task.rotary;
  const KvLayer& cache = args.cache;
  if (!moves_pairs(args) || cache.head_dim % kGroupRows != 0) return false;
  const bool pairs = args.cos_sin != nullptr && args.rotary_dim > 0 && args.style == RotaryStyle::kHalves;
  for (const PackedWeight::Part& part : task.weight->parts()) {
    if (part.rows % cache.head_dim != 0) return false;
    const GroupOrder order = group_order(part.heads, part.dtype);
    const int rotated = 2 * kGroupRows * order.half;
    if (pairs && (order.head * kGroupRows != cache.head_dim || rotated != args.rotary_dim)) return false;
  }
  const bool converting = converts(*task.weight);
  const int64_t tokens = task.input.tokens;
  const int64_t most = most_joined_tokens(converting);
  if (tokens > most && (converting || tile_tokens(task, device) > most)) return false;
  const Tensor& qkv = args.qkv;
  return takes_tile_gemm(*task.weight) && qkv.dtype == DType::kBF16 && qkv.stride % 4 == 0 &&
         (reinterpret_cast<uintptr_t>(qkv.data) % 8 | reinterpret_cast<uintptr_t>(args.cos_sin) % 16) == 0;
}

void rotary_angles(Stream& stream, const RotaryAnglesArgs& args) {
  launch_early(stream, fill_angles, dim3(blocks_for(args.tokens * (args.rotary_dim / 2), kThreads)), dim3(kThreads), 0,
               args);
}

void rotary_cache(Stream& stream, const RotaryCacheArgs& args) {
  const int units = args.heads + 2 * args.cache.kv_heads;
  CARAVEL_CHECK_LE(args.cache.head_dim, kMaxHeadDim);
  CARAVEL_CHECK_EQ(args.cache.value_dim, 0);
  CARAVEL_CHECK_EQ(args.cache.head_dim % 2, 0);
  CARAVEL_CHECK_EQ(args.rotary_dim % 2, 0);
  CARAVEL_CHECK_LE(args.rotary_dim, args.cache.head_dim);
  CARAVEL_CHECK_EQ(args.qkv.width, int64_t{units} * args.cache.head_dim);
  CARAVEL_CHECK_EQ(reinterpret_cast<uintptr_t>(products(args.qkv)) % sizeof(uint32_t), size_t{0});
  CARAVEL_CHECK_EQ(args.qkv.stride % 2, 0);
  if (args.norms_rows) {
    launch_early(stream, norm_rows_rotate_and_store, dim3(blocks_for(args.qkv.rows, 1)), dim3(kThreads), 0, args);
    return;
  }
  if (moves_pairs(args)) {
    launch_early(stream, rotate_and_store_pairs, dim3(blocks_for(args.qkv.rows, 1)), dim3(kThreads), 0, args);
    return;
  }
  launch_early(stream, rotate_and_store, dim3(blocks_for(args.qkv.rows * units, kHeadsOfBlock)), dim3(kThreads), 0,
               args);
}

void copy_blocks(Stream& stream, const CopyBlocksArgs& args) {
  const uintptr_t sides = reinterpret_cast<uintptr_t>(args.src) | reinterpret_cast<uintptr_t>(args.dst);
  if (((sides | static_cast<uintptr_t>(args.bytes)) % sizeof(uint4)) == 0) {
    copy_as<uint4>(stream, args);
  } else {
    copy_as<uint8_t>(stream, args);
  }
}

}  // namespace caravel::kernels::cuda
