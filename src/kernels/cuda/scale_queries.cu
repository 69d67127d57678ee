#include "kernels/cuda/common.cuh"
#include "kernels/scale_queries.h"

namespace caravel::kernels::cuda {

void scale_queries(Stream& stream, const ScaleQueriesArgs& args);

namespace {

constexpr int kScaleThreads = 256;

/// A block of threads for each row.
__global__ void __launch_bounds__(kScaleThreads) scale_rows(ScaleQueriesArgs args) {
  const int32_t intervals = args.positions[blockIdx.x] / args.interval;
  if (intervals == 0) return;
  const float factor = 1.0F + args.growth * log1pf(static_cast<float>(intervals));
  auto* const row = static_cast<BFloat16*>(args.q.data) + blockIdx.x * args.q.stride;
  for (int64_t i = threadIdx.x; i < args.q.width; i += kScaleThreads) {
    row[i] = from_float<BFloat16>(factor * to_float(row[i]));
  }
}

}  // namespace

void scale_queries(Stream& stream, const ScaleQueriesArgs& args) {
  products(args.q);
  CARAVEL_CHECK_GT(args.interval, 0);
  launch(stream, scale_rows, dim3(blocks_for(args.q.rows, 1)), dim3(kScaleThreads), 0, args);
}

}  // namespace caravel::kernels::cuda
