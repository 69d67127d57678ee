#include "kernels/scale_queries.h"

#include <cmath>

#include "device/cpu/cpu_device.h"
#include "kernels/cpu/checks.h"

namespace caravel::kernels::cpu {
namespace {

void scale_share_of_queries(const ScaleQueriesArgs& args, int rank, int size) {
  const Range share = share_of(args.q.rows, rank, size);
  for (int64_t t = share.begin; t < share.end; ++t) {
    const int32_t intervals = args.positions[t] / args.interval;
    if (intervals == 0) continue;
    const auto factor = static_cast<float>(1 + args.growth * std::log1p(static_cast<double>(intervals)));
    float* const row = static_cast<float*>(args.q.data) + t * args.q.stride;
    for (int64_t i = 0; i < args.q.width; ++i) row[i] *= factor;
  }
}

}  // namespace

void scale_queries(Stream& stream, const ScaleQueriesArgs& args) {
  check_f32(args.q);
  CARAVEL_CHECK_GT(args.interval, 0);
  as_cpu(stream).enqueue(scale_share_of_queries, args);
}

}  // namespace caravel::kernels::cpu
