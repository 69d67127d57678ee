#include "kernels/scale_queries.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void scale_queries(Stream& stream, const ScaleQueriesArgs& args);
}  // namespace cpu

namespace cuda {
void scale_queries(Stream& stream, const ScaleQueriesArgs& args);
}  // namespace cuda

void scale_queries(Stream& stream, const ScaleQueriesArgs& args) {
  by_device(stream.device(), cpu::scale_queries, CARAVEL_IF_CUDA(cuda::scale_queries))(stream, args);
}

}  // namespace caravel::kernels
