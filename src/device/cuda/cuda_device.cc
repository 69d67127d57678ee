#include "device/cuda/cuda_device.h"

#include <cstring>

#include "base/available_memory.h"
#include "base/error.h"

namespace caravel {

CudaDevice::CudaDevice(int ordinal, int most_capability)
    : ordinal_(ordinal),
      most_capability_(most_capability),
      properties_(cuda_properties(ordinal)),
      warpgroups_(compute_capability() == 90 && built_for("90a")) {
  make_current();
  check_cuda(cudaStreamCreateWithFlags(&zeroing_, cudaStreamNonBlocking), "creating a stream");
}

CudaDevice::~CudaDevice() {
  cudaSetDevice(ordinal_);
  chunks_.clear([](void* data, size_t) { cudaFree(data); });
  host_chunks_.clear([](void* data, size_t) { cudaFreeHost(data); });
  cudaStreamDestroy(zeroing_);
}

std::string CudaDevice::name() const { return fmt::format("{} (CUDA, sm_{})", properties_.name, compute_capability()); }

Buffer CudaDevice::allocate(size_t bytes) {
  if (bytes == 0) return {};
  make_current();
  const auto take = [this](size_t of) { return take_of_device(of); };
  std::byte* const data = chunks_.holds(bytes) ? chunks_.take(bytes, take) : take(bytes);
  check_cuda(cudaMemsetAsync(data, 0, bytes, zeroing_), "zeroing memory");
  check_cuda(cudaStreamSynchronize(zeroing_), "zeroing memory");
  return Buffer(this, data, bytes);
}

std::byte* CudaDevice::take_of_device(size_t bytes) {
  void* data = nullptr;
  const cudaError_t status = cudaMalloc(&data, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw fail<CapacityError>("cannot allocate {} of memory of the device; {} of {} are free",
                              memory_text(static_cast<int64_t>(bytes)),
                              memory_text(static_cast<int64_t>(memory_available())),
                              memory_text(static_cast<int64_t>(properties_.totalGlobalMem)));
  }
  check_cuda(status, "allocating memory of the device");
  return static_cast<std::byte*>(data);
}

/// What goes wrong here went wrong before, and the next command says so: nothing is thrown where memory is given back.
void CudaDevice::release(void* data, size_t bytes) {
  cudaSetDevice(ordinal_);
  if (chunks_.holds(bytes)) {
    chunks_.give_back(data, [](void* chunk, size_t) { cudaFree(chunk); });
  } else {
    cudaFree(data);
  }
}

HostBuffer CudaDevice::allocate_host(size_t bytes) {
  if (bytes == 0) return {};
  make_current();
  const auto take = [this](size_t of) { return take_of_host(of); };
  std::byte* const data = host_chunks_.holds(bytes) ? host_chunks_.take(bytes, take) : take(bytes);
  std::memset(data, 0, bytes);
  return HostBuffer(this, data, bytes);
}

std::byte* CudaDevice::take_of_host(size_t bytes) {
  void* data = nullptr;
  const cudaError_t status = cudaHostAlloc(&data, bytes, cudaHostAllocDefault);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    const AvailableMemory available = available_memory();
    throw fail<CapacityError>("cannot allocate {} of pinned memory; {} are available ({})",
                              memory_text(static_cast<int64_t>(bytes)), memory_text(available.bytes),
                              available.bound_by);
  }
  check_cuda(status, "allocating pinned memory");
  return static_cast<std::byte*>(data);
}

void CudaDevice::release_host(void* data, size_t bytes) {
  cudaSetDevice(ordinal_);
  if (host_chunks_.holds(bytes)) {
    host_chunks_.give_back(data, [](void* chunk, size_t) { cudaFreeHost(chunk); });
  } else {
    cudaFreeHost(data);
  }
}

size_t CudaDevice::memory_available() const {
  make_current();
  size_t available = 0;
  size_t total = 0;
  check_cuda(cudaMemGetInfo(&available, &total), "asking for the free memory");
  return available;
}

void CudaDevice::allow_shared_bytes(const void* kernel, size_t bytes) {
  if (bytes > max_shared_bytes()) {
    throw fail<Unsupported>("{}: a block has {} bytes of shared memory, {} are needed", name(), max_shared_bytes(),
                            bytes);
  }
  const std::lock_guard lock(mutex_);
  if (raised_.contains(kernel)) return;
  // All that it can have: the limit is the process's, and another device of it may have asked for more.
  cudaFuncAttributes attributes{};
  check_cuda(cudaFuncGetAttributes(&attributes, kernel), "asking for a kernel's shared memory");
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(max_shared_bytes() - attributes.sharedSizeBytes)),
             "raising a kernel's shared memory");
  raised_.insert(kernel);
}

}  // namespace caravel
