#pragma once

#include "device/cpu/cpu_device.h"

namespace caravel::kernels {

/// How an op of the CPU reaches its kernel. The source in kernels/cpu/isa/ is compiled once per instruction set and
/// defines `void caravel::kernels::CARAVEL_ISA::name(const Args& args, int rank, int size)`, which does rank's share.
/// CARAVEL_CPU_KERNEL(name, Args) in kernels/cpu/<op>.cc declares them all; enqueue_name() enqueues the one of the
/// stream's instruction set, which cpu_kernel_name() gives:
///
///   CARAVEL_CPU_KERNEL(rms_norm, RmsNormArgs)
///   namespace cpu {
///   void rms_norm(Stream& stream, const RmsNormArgs& args) { enqueue_rms_norm(stream, args); }
///   }
#if defined(__x86_64__)
#define CARAVEL_CPU_KERNEL(name, Args)                        \
  namespace portable {                                        \
  void name(const Args& args, int rank, int size);            \
  }                                                           \
  namespace avx2 {                                            \
  void name(const Args& args, int rank, int size);            \
  }                                                           \
  namespace avx512vnni {                                      \
  void name(const Args& args, int rank, int size);            \
  }                                                           \
  namespace avx512amx {                                       \
  void name(const Args& args, int rank, int size);            \
  }                                                           \
  inline CpuStream::Kernel<Args> cpu_kernel_##name(Isa isa) { \
    switch (isa) {                                            \
      case Isa::kAvx512Amx:                                   \
        return avx512amx::name;                               \
      case Isa::kAvx512Vnni:                                  \
        return avx512vnni::name;                              \
      case Isa::kAvx2:                                        \
        return avx2::name;                                    \
      case Isa::kPortable:                                    \
        break;                                                \
    }                                                         \
    return portable::name;                                    \
  }                                                           \
  CARAVEL_CPU_ENQUEUE(name, Args)
#else
#define CARAVEL_CPU_KERNEL(name, Args)                                             \
  namespace portable {                                                             \
  void name(const Args& args, int rank, int size);                                 \
  }                                                                                \
  inline CpuStream::Kernel<Args> cpu_kernel_##name(Isa) { return portable::name; } \
  CARAVEL_CPU_ENQUEUE(name, Args)
#endif

/// meet: as of CpuStream::enqueue().
#define CARAVEL_CPU_ENQUEUE(name, Args)                                            \
  inline void enqueue_##name(Stream& stream, const Args& args, bool meet = true) { \
    CpuStream& cpu_stream = as_cpu(stream);                                        \
    cpu_stream.enqueue(cpu_kernel_##name(cpu_stream.device().isa()), args, meet);  \
  }

}  // namespace caravel::kernels
