#include "kernels/kv_cache.h"

#include <cmath>

#include "base/error.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/input_planes.h"
#include "kernels/cpu/kv_head_layout.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(rotary_cache, RotaryCacheArgs)

namespace cpu {
namespace {

void fill_rotary_angles(const RotaryAnglesArgs& args, int rank, int size) {
  const int pairs = args.rotary_dim / 2;
  const Range range = share_of(args.tokens * pairs, rank, size);
  for (int64_t i = range.begin; i < range.end; ++i) {
    const int32_t position = args.positions[i / pairs];
    const double angle = static_cast<double>(position) * args.inverse_freq[i % pairs];
    args.cos_sin[2 * i] = static_cast<float>(std::cos(angle) * args.magnitude);
    args.cos_sin[2 * i + 1] = static_cast<float>(std::sin(angle) * args.magnitude);
  }
}

void copy_share_of_blocks(const CopyBlocksArgs& args, int rank, int size) {
  const Range range = share_of(args.count, rank, size);
  for (int64_t i = range.begin; i < range.end; ++i) {
    const BlockCopy& copy = args.copies[i];
    std::memcpy(args.dst + copy.to * args.bytes, args.src + copy.from * args.bytes, static_cast<size_t>(args.bytes));
  }
}

void refuse_fp8(KvDtype dtype) {
  if (dtype != KvDtype::kFp8) return;
  throw fail<Unsupported>("keys and values of fp8 are a GPU's; on a CPU int8 takes as little (--kv-cache-dtype int8)");
}

}  // namespace

int64_t kv_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype) {
  refuse_fp8(dtype);
  return whole_lines(kv_head_layout(block_size, head_dim, dtype).head_bytes * kv_heads);
}

int64_t shared_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype) {
  refuse_fp8(dtype);
  return whole_lines(shared_row_layout(block_size, head_dim, dtype).head_bytes * kv_heads);
}

void rotary_angles(Stream& stream, const RotaryAnglesArgs& args) { as_cpu(stream).enqueue(fill_rotary_angles, args); }

void rotary_cache(Stream& stream, const RotaryCacheArgs& args) {
  CARAVEL_CHECK_LE(args.cache.head_dim, kMaxHeadDim);
  CARAVEL_CHECK_EQ(args.cache.value_dim, 0);
  CARAVEL_CHECK_EQ(args.cache.head_dim % 2, 0);
  CARAVEL_CHECK_EQ(args.rotary_dim % 2, 0);
  CARAVEL_CHECK_LE(args.rotary_dim, args.cache.head_dim);
  check_f32(args.qkv, 0, int64_t{args.heads + 2 * args.cache.kv_heads} * args.cache.head_dim);
  enqueue_rotary_cache(stream, args);
}

void copy_blocks(Stream& stream, const CopyBlocksArgs& args) { as_cpu(stream).enqueue(copy_share_of_blocks, args); }

}  // namespace cpu
}  // namespace caravel::kernels
