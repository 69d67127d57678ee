#include "kernels/pool_rows.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void pool_rows(Stream& stream, const PoolRowsArgs& args);
}  // namespace cpu

void pool_rows(Stream& stream, const PoolRowsArgs& args) { by_device(stream.device(), cpu::pool_rows)(stream, args); }

}  // namespace caravel::kernels
