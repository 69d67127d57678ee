#include "kernels/embedding.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void embedding(Stream& stream, const EmbeddingArgs& args);
}  // namespace cpu

void embedding(Stream& stream, const EmbeddingArgs& args) { by_device(stream.device(), cpu::embedding)(stream, args); }

}  // namespace caravel::kernels
