#include "kernels/kv_cache.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
int64_t kv_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype);
int64_t shared_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype);
void rotary_angles(Stream& stream, const RotaryAnglesArgs& args);
void rotary_cache(Stream& stream, const RotaryCacheArgs& args);
void copy_blocks(Stream& stream, const CopyBlocksArgs& args);
}  // namespace cpu

namespace cuda {
int64_t kv_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype);
int64_t shared_layer_bytes(int block_size, int kv_heads, int head_dim, KvDtype dtype);
void rotary_angles(Stream& stream, const RotaryAnglesArgs& args);
void rotary_cache(Stream& stream, const RotaryCacheArgs& args);
void copy_blocks(Stream& stream, const CopyBlocksArgs& args);
}  // namespace cuda

int64_t kv_layer_bytes(Device& device, int block_size, int kv_heads, int head_dim, KvDtype dtype) {
  return by_device(device, cpu::kv_layer_bytes, CARAVEL_IF_CUDA(cuda::kv_layer_bytes))(block_size, kv_heads, head_dim,
                                                                                       dtype);
}

int64_t shared_layer_bytes(Device& device, int block_size, int kv_heads, int head_dim, KvDtype dtype) {
  return by_device(device, cpu::shared_layer_bytes, CARAVEL_IF_CUDA(cuda::shared_layer_bytes))(block_size, kv_heads,
                                                                                               head_dim, dtype);
}

void rotary_angles(Stream& stream, const RotaryAnglesArgs& args) {
  by_device(stream.device(), cpu::rotary_angles, CARAVEL_IF_CUDA(cuda::rotary_angles))(stream, args);
}

void rotary_cache(Stream& stream, const RotaryCacheArgs& args) {
  by_device(stream.device(), cpu::rotary_cache, CARAVEL_IF_CUDA(cuda::rotary_cache))(stream, args);
}

void copy_blocks(Stream& stream, const CopyBlocksArgs& args) {
  by_device(stream.device(), cpu::copy_blocks, CARAVEL_IF_CUDA(cuda::copy_blocks))(stream, args);
}

}  // namespace caravel::kernels
