#include "kernels/cpu/expert_gemm_args.h"
#include "kernels/cpu/isa/gemm_panels.h"

namespace caravel::kernels::CARAVEL_ISA {

void expert_gemm(const ExpertGemmCpuArgs& args, int rank, int size);
void gated_expert_gemm(const GatedExpertGemmCpuArgs& args, int rank, int size);

namespace {

/// How many rows' products take as long as it takes to read a panel from memory, about.
constexpr int64_t kReadCost = 8;

PackedPart of_expert(const PackedPart& part, int64_t bytes) {
  return {part.panels + bytes, part.panel_bytes, part.dtype, part.out_begin, part.rows};
}

/// run(expert, first row, rows, first panel, end of panels): what falls to `rank` of all experts' panels, in order, so
/// that ranks end together. A panel costs what its rows and reading it do; a rank has those that begin in its part of
/// the sum.
template <typename Run>
void for_each_run(const int32_t* row_begin, int experts, int64_t panels, int rank, int size, const Run& run) {
  const auto cost = [&](int e) {
    const int64_t rows = row_begin[e + 1] - row_begin[e];
    return rows > 0 ? rows + kReadCost : 0;
  };
  int64_t total = 0;
  for (int e = 0; e < experts; ++e) total += panels * cost(e);
  const int64_t begin = total * rank / size;
  const int64_t end = total * (rank + 1) / size;
  int64_t first = 0;  // where the expert's first panel begins
  for (int e = 0; e < experts && first < end; ++e) {
    const int64_t each = cost(e);
    if (each == 0) continue;
    const int64_t from = begin > first ? (begin - first + each - 1) / each : 0;
    const int64_t before_end = (end - first + each - 1) / each;
    const int64_t to = before_end < panels ? before_end : panels;
    if (from < to) run(e, row_begin[e], row_begin[e + 1] - row_begin[e], from, to);
    first += panels * each;
  }
}

}  // namespace

void expert_gemm(const ExpertGemmCpuArgs& args, int rank, int size) {
  const InputPlanes input = input_planes(args.input, rank);
  int64_t panels = 0;
  for (int i = 0; i < args.part_count; ++i) panels += panel_count(args.parts[i]);
  for_each_run(args.row_begin, args.experts, panels, rank, size,
               [&](int64_t e, int64_t row, int64_t rows, int64_t from, int64_t to) {
                 PackedPart parts[PackedWeight::kMaxParts];
                 for (int i = 0; i < args.part_count; ++i) parts[i] = of_expert(args.parts[i], e * args.expert_bytes);
                 const float* bias = args.bias != nullptr ? args.bias + e * args.out_width : nullptr;
                 run_plain_panels({parts,
                                   args.part_count,
                                   {args.input.width, input, row, rows},
                                   bias,
                                   false,
                                   args.out + row * args.out_stride,
                                   args.out_stride},
                                  from, to);
               });
}

void gated_expert_gemm(const GatedExpertGemmCpuArgs& args, int rank, int size) {
  const InputPlanes input = input_planes(args.input, rank);
  const InputPlanes out = input_planes(args.out, rank);
  for_each_run(args.row_begin, args.experts, panel_count(args.gate), rank, size,
               [&](int64_t e, int64_t row, int64_t rows, int64_t from, int64_t to) {
                 const float* bias = args.bias != nullptr ? args.bias + e * 2 * out.width : nullptr;
                 run_gated_panels({of_expert(args.gate, e * args.expert_bytes),
                                   of_expert(args.up, e * args.expert_bytes),
                                   {args.input.width, input, row, rows},
                                   bias,
                                   args.activation,
                                   out},
                                  from, to);
               });
}

}  // namespace caravel::kernels::CARAVEL_ISA
