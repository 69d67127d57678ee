#include "base/error.h"
#include "device/cuda_backend.h"

namespace caravel {

bool built_with_cuda() { return false; }

std::string why_no_cuda() { return "this build has no CUDA (CARAVEL_CUDA)"; }

std::unique_ptr<Device> open_cuda(int /*ordinal*/, int /*most_capability*/) { throw Unsupported(why_no_cuda()); }

}  // namespace caravel
