#include "kernels/activation.h"

#include "kernels/op_testing.h"
#include "kernels/ref/activation.h"

namespace caravel::kernels {
namespace {

TEST(GatedActivation, MatchesReferenceOverTheWholeRange) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    for (const Activation activation : {Activation::kSilu, Activation::kGeluTanh}) {
      for (const int64_t width : {1, 15, 512, 517, 4001}) {
        SCOPED_TRACE("width " + std::to_string(width));
        const int64_t tokens = 3;
        std::vector<float> gate_up(static_cast<size_t>(tokens * 2 * width));
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t i = 0; i < width; ++i) {
            const double place = static_cast<double>(t * width + i) / static_cast<double>(tokens * width);
            gate_up[static_cast<size_t>(t * 2 * width + i)] = static_cast<float>(-12 + 24 * place);
            gate_up[static_cast<size_t>((t * 2 + 1) * width + i)] = static_cast<float>(1.5 - place);
          }
        }
        std::vector<float> out(static_cast<size_t>(tokens * width));
        gated_activation(*machine.stream, {.gate_up = gate_up.data(),
                                           .activation = activation,
                                           .tokens = tokens,
                                           .width = width,
                                           .out = {.width = width, .f32 = out.data()}});
        machine.stream->synchronize();
        std::vector<double> expected(out.size());
        ref::gated_activation(activation, gate_up.data(), tokens, width, expected.data());
        // GELU's exponent is a rounded polynomial: its error counts times its size (up to 2 * 70 at |x| = 12), and
        // below 1e-14 the reference itself cancels.
        const bool silu = activation == Activation::kSilu;
        expect_close(out, expected, silu ? 0 : 1e-13, kRounding * (silu ? 12 : 12 + 4 * 140));
      }
    }
  });
}

TEST(GatedActivation, FarEndsStayFinite) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    for (const Activation activation : {Activation::kSilu, Activation::kGeluTanh}) {
      const std::vector<float> gate_up = {-1e4F, -200.0F, 0.0F, 200.0F, 1, 1, 1, 1};
      std::vector<float> out(4);
      gated_activation(*machine.stream, {.gate_up = gate_up.data(),
                                         .activation = activation,
                                         .tokens = 1,
                                         .width = 4,
                                         .out = {.width = 4, .f32 = out.data()}});
      machine.stream->synchronize();
      EXPECT_EQ(out, (std::vector<float>{0.0F, 0.0F, 0.0F, 200.0F}));
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
