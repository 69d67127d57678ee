#include "kernels/embedding.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void embedding(Stream& stream, const EmbeddingArgs& args);
}  // namespace cpu

namespace cuda {
void embedding(Stream& stream, const EmbeddingArgs& args);
}  // namespace cuda

void embedding(Stream& stream, const EmbeddingArgs& args) {
  by_device(stream.device(), cpu::embedding, CARAVEL_IF_CUDA(cuda::embedding))(stream, args);
}

}  // namespace caravel::kernels
