#include "device/cuda/cuda_device.h"
#include "kernels/cuda/choice_in_gemm.cuh"
#include "kernels/routed_gemm.h"

namespace caravel::kernels::cuda {

void routed_gated_gemm(Stream& stream, const RoutedGatedGemmArgs& args);

/// Of few tokens the router's kernel norms their rows, too, and the GEMM chooses experts and reads the rows as they
/// are.
void routed_gated_gemm(Stream& stream, const RoutedGatedGemmArgs& args) {
  const RouteArgs& route = args.route;
  GemmTask task = gated_expert_task(args.gemm);
  if (!chooses_experts(task, route.rule, as_cuda(stream).device())) {
    kernels::route(stream, route);
    stream.region("experts gate and up");
    return run_gemm(stream, task);
  }
  CARAVEL_CHECK_EQ(args.gemm.input.data, route.rows.data);
  const ChoiceInGemm choice = {.choose = choice_by(route), .router = router_sums(route)};
  sum_router(stream, route, choice.router, true);
  stream.region("experts gate and up");
  task.choice = &choice;
  task.input.tokens = route.table.tokens;
  run_gemm(stream, task);
}

}  // namespace caravel::kernels::cuda
