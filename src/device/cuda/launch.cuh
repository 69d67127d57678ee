#pragma once

#include <tuple>
#include <utility>

#include "device/cuda/launch.h"

namespace caravel {

/// Enqueues `kernel` on a stream of a CUDA device. Arguments are converted to the kernel's parameters and copied at
/// once. Throws what check_cuda() throws where the launch is refused.
template <typename... Params, typename... Args>
void launch(Stream& stream, const LaunchShape& shape, void (*kernel)(Params...), Args&&... args) {
  static_assert(sizeof...(Params) == sizeof...(Args));
  std::tuple<Params...> values(std::forward<Args>(args)...);
  std::apply(
      [&](Params&... each) {
        void* params[sizeof...(Params) + 1] = {const_cast<void*>(static_cast<const void*>(&each))..., nullptr};
        internal::launch_kernel(stream, reinterpret_cast<const void*>(kernel), shape, params);
      },
      values);
}

template <typename... Params, typename... Args>
void launch(Stream& stream, void (*kernel)(Params...), dim3 grid, dim3 block, size_t shared_bytes, Args&&... args) {
  launch(stream, LaunchShape{.grid = grid, .block = block, .shared_bytes = shared_bytes}, kernel,
         std::forward<Args>(args)...);
}

/// The same of a kernel that begins with follow_kernel_before() (kernels/cuda/early.cuh).
template <typename... Params, typename... Args>
void launch_early(Stream& stream, void (*kernel)(Params...), dim3 grid, dim3 block, size_t shared_bytes,
                  Args&&... args) {
  launch(stream, LaunchShape{.grid = grid, .block = block, .shared_bytes = shared_bytes, .early = true}, kernel,
         std::forward<Args>(args)...);
}

}  // namespace caravel
