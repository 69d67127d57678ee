#pragma once

#include <cstdint>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {

inline constexpr float kNormEpsilon = 1e-5F;

/// A residual stream, the weight of a norm, and a GEMM that reads what is normed.
struct Normed {
  Normed(Stream& of, DType reader_type, const std::vector<float>& x, int64_t row_width)
      : stream(of),
        width(row_width),
        tokens(static_cast<int64_t>(x.size()) / row_width),
        residual(of, x),
        weight(of, random_normal(row_width, 21)),
        reader(make_matrix(of, {{reader_type, 40}}, row_width)),
        memory(unwritten(of, normed_input_bytes(of.device(), reader.packed.input_form(), tokens, row_width))) {}

  GemmInput input(int turn) const {
    GemmInput input = reader.packed.input(tokens, memory.data());
    input.normed = true;
    input.turn = turn;
    return input;
  }
  NextNorm next(int turn) const { return {.weight = weight.data(), .epsilon = kNormEpsilon, .out = input(turn)}; }
  Tensor rows() const { return f32_tensor(residual.data(), tokens, width); }
  void norm(int turn) const {
    rms_norm(stream, {.x = rows(), .weight = weight.data(), .epsilon = kNormEpsilon, .out = input(turn)});
    // What comes next may write the rows, which on a CPU other ranks may still be reading.
    if (stream.device().kind() == DeviceKind::kCpu) stream.synchronize();
  }
  std::vector<float> read(int turn) const {
    const DeviceArray out(stream, tokens * reader.packed.out(), NAN);
    gemm(stream,
         {.weight = &reader.packed, .input = input(turn), .out = f32_tensor(out.data(), tokens, reader.packed.out())});
    return out.values();
  }

  Stream& stream;
  int64_t width;
  int64_t tokens;
  DeviceArray<float> residual;
  DeviceArray<float> weight;
  Matrix reader;
  DeviceArray<std::byte> memory;
};

}  // namespace caravel::kernels
