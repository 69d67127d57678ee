#include "kernels/cpu/head_gemm_args.h"
#include "kernels/cpu/isa/gemm_panels.h"
#include "kernels/cpu/isa/output_slice.h"

namespace caravel::kernels::CARAVEL_ISA {

void head_gemm(const HeadGemmCpuArgs& args, int rank, int size);

namespace {

/// From one of its columns on, which begins a block of the 8-bit forms; the width stays what rows are apart.
InputPlanes from_column(const InputPlanes& input, int64_t column) {
  InputPlanes planes = input;
  if (input.form == InputForm::kF32) {
    planes.f32 += column;
    return planes;
  }
  planes.q8 += column;
  planes.scales += column / kInputBlock;
  planes.sums += column / kInputBlock;
  planes.totals += 2 * column / kInputBlock;
  return planes;
}

}  // namespace

/// A rank's share is a run of panels of all heads taken together.
void head_gemm(const HeadGemmCpuArgs& args, int rank, int size) {
  const InputPlanes input = input_planes(args.input, rank);
  int64_t panels = 0;
  for (int i = 0; i < args.part_count; ++i) panels += panel_count(args.parts[i]);
  const int64_t end = args.heads * panels * (rank + 1) / size;
  for (int64_t begin = args.heads * panels * rank / size; begin < end;) {
    const int64_t head = begin / panels;
    const int64_t head_end = (head + 1) * panels < end ? (head + 1) * panels : end;
    PackedPart parts[PackedWeight::kMaxParts];
    for (int i = 0; i < args.part_count; ++i) {
      parts[i] = args.parts[i];
      parts[i].panels += head * args.head_bytes;
    }
    run_plain_panels({parts,
                      args.part_count,
                      {args.in, from_column(input, head * args.in), 0, args.input.tokens},
                      nullptr,
                      false,
                      args.out + head * args.head_stride,
                      args.out_stride},
                     begin - head * panels, head_end - head * panels);
    begin = head_end;
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
