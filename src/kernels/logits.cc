#include "kernels/logits.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void scale_logits(Stream& stream, const ScaleLogitsArgs& args);
void soft_cap(Stream& stream, const SoftCapArgs& args);
void log_sum_exp(Stream& stream, const LogSumExpArgs& args);
void top_k(Stream& stream, const TopKArgs& args);
void token_rank(Stream& stream, const RankArgs& args);
}  // namespace cpu

namespace cuda {
void scale_logits(Stream& stream, const ScaleLogitsArgs& args);
void soft_cap(Stream& stream, const SoftCapArgs& args);
void log_sum_exp(Stream& stream, const LogSumExpArgs& args);
void top_k(Stream& stream, const TopKArgs& args);
void token_rank(Stream& stream, const RankArgs& args);
}  // namespace cuda

void scale_logits(Stream& stream, const ScaleLogitsArgs& args) {
  by_device(stream.device(), cpu::scale_logits, CARAVEL_IF_CUDA(cuda::scale_logits))(stream, args);
}

void soft_cap(Stream& stream, const SoftCapArgs& args) {
  by_device(stream.device(), cpu::soft_cap, CARAVEL_IF_CUDA(cuda::soft_cap))(stream, args);
}

void log_sum_exp(Stream& stream, const LogSumExpArgs& args) {
  by_device(stream.device(), cpu::log_sum_exp, CARAVEL_IF_CUDA(cuda::log_sum_exp))(stream, args);
}

void top_k(Stream& stream, const TopKArgs& args) {
  by_device(stream.device(), cpu::top_k, CARAVEL_IF_CUDA(cuda::top_k))(stream, args);
}

void token_rank(Stream& stream, const RankArgs& args) {
  by_device(stream.device(), cpu::token_rank, CARAVEL_IF_CUDA(cuda::token_rank))(stream, args);
}

}  // namespace caravel::kernels
