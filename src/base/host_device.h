#pragma once

/// Before a function that a GPU's kernels call as well as the host.
#ifdef __CUDACC__
#define CARAVEL_HOST_DEVICE __host__ __device__
#else
#define CARAVEL_HOST_DEVICE
#endif
