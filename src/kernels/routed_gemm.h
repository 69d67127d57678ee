#pragma once

#include "kernels/expert_gemm.h"
#include "kernels/route.h"

namespace caravel::kernels {

struct RoutedGatedGemmArgs {
  RouteArgs route;
  GatedExpertGemmArgs gemm;  // of the route's table and rows
};

/// How a layer with a router begins, up to what its experts' second matrices read: route() and gated_expert_gemm() of
/// what it made, to the bit, as one op, in which few tokens' rows need not be spread. `route.rows` are no one else's to
/// read.
void routed_gated_gemm(Stream& stream, const RoutedGatedGemmArgs& args);

}  // namespace caravel::kernels
