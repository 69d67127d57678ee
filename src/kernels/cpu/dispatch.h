#pragma once

#include "device/cpu/cpu_device.h"

namespace caravel::kernels {

/// How an op reaches its CPU kernel. The source in kernels/cpu/isa/ is compiled once per instruction set and defines
/// `void caravel::kernels::CARAVEL_ISA::name(const Args& args, int rank, int size)`, which does rank's share.
/// CARAVEL_CPU_KERNEL(name, Args) in the op's .cc declares them all, and cpu_kernel_name(isa) is the one to enqueue:
///
///   CARAVEL_CPU_KERNEL(rms_norm, RmsNormArgs)
///   void rms_norm(Stream& stream, const RmsNormArgs& args) {
///     CpuStream& cpu = as_cpu(stream);
///     cpu.enqueue(cpu_kernel_rms_norm(cpu.device().isa()), args);
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
  }
#else
#define CARAVEL_CPU_KERNEL(name, Args)             \
  namespace portable {                             \
  void name(const Args& args, int rank, int size); \
  }                                                \
  inline CpuStream::Kernel<Args> cpu_kernel_##name(Isa) { return portable::name; }
#endif

}  // namespace caravel::kernels
