#include "kernels/route.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void route(Stream& stream, const RouteArgs& args);
size_t route_workspace(int64_t tokens, int64_t width, int64_t router_rows, bool shares_f32);
}  // namespace cpu

namespace cuda {
void route(Stream& stream, const RouteArgs& args);
size_t route_workspace(int64_t tokens, int64_t width, int64_t router_rows, bool shares_f32);
}  // namespace cuda

void route(Stream& stream, const RouteArgs& args) {
  by_device(stream.device(), cpu::route, CARAVEL_IF_CUDA(cuda::route))(stream, args);
}

size_t route_workspace(Device& device, int64_t tokens, int64_t width, int64_t router_rows, bool shares_f32) {
  return by_device(device, cpu::route_workspace, CARAVEL_IF_CUDA(cuda::route_workspace))(tokens, width, router_rows,
                                                                                         shares_f32);
}

}  // namespace caravel::kernels
