#include "kernels/cuda/expert_choice.cuh"
#include "kernels/cuda/expert_places.cuh"
#include "kernels/expert_table.h"

namespace caravel::kernels::cuda {

void choose_experts(Stream& stream, const ChooseExpertsArgs& args);
void sort_by_expert(Stream& stream, const ExpertTable& table);

namespace {

constexpr int kChooseWarps = 4;  // of a block, each with a token
constexpr int kFewSortThreads = 256;
constexpr int kMostSortThreads = 1024;
constexpr int64_t kManyEntries = 4096;

template <int kEach>
__global__ void __launch_bounds__(kChooseWarps* kWarp) choose_each(ChooseExpertsArgs args) {
  follow_kernel_before();
  extern __shared__ float group_spaces[];
  __shared__ ChoiceSpace spaces[kChooseWarps];
  const unsigned warp = threadIdx.x / kWarp;
  const int64_t token = int64_t{blockIdx.x} * kChooseWarps + warp;
  if (token >= args.table.tokens) return;
  const float* const logits = static_cast<const float*>(args.logits.data) + token * args.logits.stride;
  ExpertChooser<kEach>(args, spaces[warp], group_spaces).choose(token, true, [&](int e) { return logits[e]; });
}

/// A block for each expert.
__global__ void __launch_bounds__(kMostSortThreads) sort_rows(ExpertTable table) {
  follow_kernel_before();
  const int expert = static_cast<int>(blockIdx.x);
  const auto entries = static_cast<int>(table.row_count());
  write_begin(table, expert, place_rows(table.chosen, entries, expert, [&](int entry, int row, int /*place*/) {
                write_row(table, entry, row);
              }));
}

}  // namespace

void choose_experts(Stream& stream, const ChooseExpertsArgs& args) {
  floats(args.logits);
  with_chooser(args.rule.experts, [&]<int kEach>() {
    launch_early(stream, choose_each<kEach>, dim3(blocks_for(args.table.tokens, kChooseWarps)),
                 dim3(kChooseWarps * kWarp), kChooseWarps * group_space_bytes(args.rule), args);
  });
}

void sort_by_expert(Stream& stream, const ExpertTable& table) {
  const bool many = table.row_count() > kManyEntries;
  launch_early(stream, sort_rows, dim3(static_cast<unsigned>(table.experts)),
               dim3(many ? kMostSortThreads : kFewSortThreads), 0, table);
}

}  // namespace caravel::kernels::cuda
