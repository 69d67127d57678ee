#include "kernels/expert_rows.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void spread_rows(Stream& stream, const SpreadRowsArgs& args);
void join_rows(Stream& stream, const JoinRowsArgs& args);
}  // namespace cpu

namespace cuda {
void spread_rows(Stream& stream, const SpreadRowsArgs& args);
void join_rows(Stream& stream, const JoinRowsArgs& args);
}  // namespace cuda

void spread_rows(Stream& stream, const SpreadRowsArgs& args) {
  by_device(stream.device(), cpu::spread_rows, CARAVEL_IF_CUDA(cuda::spread_rows))(stream, args);
}

void join_rows(Stream& stream, const JoinRowsArgs& args) {
  by_device(stream.device(), cpu::join_rows, CARAVEL_IF_CUDA(cuda::join_rows))(stream, args);
}

}  // namespace caravel::kernels
