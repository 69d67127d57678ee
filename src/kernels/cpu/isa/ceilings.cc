#include "kernels/cpu/ceilings_args.h"
#include "kernels/cpu/isa/tile.h"
#if defined(__AMX_INT8__)
#include "kernels/cpu/isa/amx.h"
#endif

namespace caravel::kernels::CARAVEL_ISA {

void read_ceiling(const ReadCeilingArgs& args, int rank, int size) {
  constexpr int kStreams = 8;
  constexpr int64_t kStep = 16 * kStreams;
  const int64_t steps = args.count / kStep;
  Floats sums[kStreams] = {};
  const float* end = args.data + steps * (rank + 1) / size * kStep;
  for (const float* p = args.data + steps * rank / size * kStep; p < end; p += kStep) {
#pragma GCC unroll 8
    for (int i = 0; i < kStreams; ++i) {
      __builtin_prefetch(p + 16 * i + 1024, 0, 2);
      sums[i] = add(sums[i], load_floats(p + 16 * i));
    }
  }
  for (int i = 1; i < kStreams; ++i) sums[0] = add(sums[0], sums[i]);
  store_floats(args.sink + 16 * rank, sums[0]);
}

void int8_ceiling(const MultiplyCeilingArgs& args, int rank, int) {
  constexpr int kMax = 15;
  const Bytes levels[2] = {low_nibbles(load_bytes(args.operands)), low_nibbles(load_bytes(args.operands + 64))};
  int16_t none[2] = {0, 0};
  Dots dots[kTileTokens][2];
  for (auto& token : dots) token[0] = token[1] = start_dots<kMax, 0, 0>(none);
  const auto* quads = reinterpret_cast<const int8_t*>(args.operands);
  const auto step = [&]<int kStep>(const int8_t* at) {
#pragma GCC unroll 8
    for (int t = 0; t < kTileTokens; ++t) {
      const Quad quad = load_quad(at + 32 * t + 4 * kStep);
      add_dot<kMax, kStep, 8>(dots[t][0], levels[0], quad);
      add_dot<kMax, kStep, 8>(dots[t][1], levels[1], quad);
    }
  };
  for (int64_t i = 0; i < args.rounds; ++i) {
    const int8_t* at = quads + i % 64 * 32;
    step.template operator()<0>(at);
    step.template operator()<1>(at);
    step.template operator()<2>(at);
    step.template operator()<3>(at);
    step.template operator()<4>(at);
    step.template operator()<5>(at);
    step.template operator()<6>(at);
    step.template operator()<7>(at);
  }
  Floats sum = broadcast(0.0F);
  for (const auto& token : dots) sum = add(sum, add(dots_to_floats(token[0]), dots_to_floats(token[1])));
  store_floats(args.sink + 16 * rank, sum);
  args.macs[rank] = args.rounds * 8 * kTileTokens * 2 * 64;
}

void int8_tile_ceiling(const MultiplyCeilingArgs& args, int rank, int) {
  args.macs[rank] = 0;
#if defined(__AMX_INT8__)
  TileShapes shapes;
  for (int tile = 0; tile < 8; ++tile) shapes.set(tile, 16, 64);
  shapes.use();
  for (int64_t i = 0; i < args.rounds; ++i) {
    multiply_tiles_i8<0, 4, 6>();
    multiply_tiles_i8<1, 4, 7>();
    multiply_tiles_i8<2, 5, 6>();
    multiply_tiles_i8<3, 5, 7>();
  }
  release_tiles();
  args.macs[rank] = args.rounds * 4 * 16 * 16 * 64;
#endif
}

void f32_ceiling(const MultiplyCeilingArgs& args, int rank, int) {
  const Floats weights[2] = {broadcast(0.5F), broadcast(0.25F)};
  Floats sums[kPlainTileTokens][2];
  for (auto& token : sums) token[0] = token[1] = broadcast(0.0F);
  for (int64_t i = 0; i < args.rounds; ++i) {
    const float* at = reinterpret_cast<const float*>(args.operands) + i % 64 * 8;
#pragma GCC unroll 8
    for (int t = 0; t < kPlainTileTokens; ++t) {
      const Floats value = broadcast(at[t]);
      sums[t][0] = multiply_add(weights[0], value, sums[t][0]);
      sums[t][1] = multiply_add(weights[1], value, sums[t][1]);
    }
  }
  Floats sum = broadcast(0.0F);
  for (const auto& token : sums) sum = add(sum, add(token[0], token[1]));
  store_floats(args.sink + 16 * rank, sum);
  args.macs[rank] = args.rounds * kPlainTileTokens * 2 * 16;
}

}  // namespace caravel::kernels::CARAVEL_ISA
