#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device/cuda_backend.h"
#include "kernels/cuda/late_copy.h"
#include "kernels/gemm.h"
#include "kernels/kv_cache.h"
#include "kernels/paged_attention.h"
#include "kernels/rms_norm.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels::cuda {
namespace {

using Bytes = std::vector<std::byte>;

/// An op as something that reads bytes and writes others, or those.
struct Op {
  std::string name;
  Bytes input;
  size_t out_bytes = 0;  // 0: it changes its input
  std::function<void(Stream& stream, std::byte* in, std::byte* out)> run;
};

/// Kernels come in while the one before still runs, and wait for what it writes. Whoever does not wait reads here what
/// a slow kernel has yet to write.
class EarlyKernels : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_cuda(); !why.empty()) GTEST_SKIP() << why;
    device_ = open_cuda(0);
    stream_ = device_->make_stream();
    for (const int64_t tokens : {1, 40}) {
      for (const DType dtype : {DType::kF32, DType::kBF16, DType::kQ8_0, DType::kQ4_K}) add_gemm(dtype, tokens);
      add_gated(tokens);
      add_norms(tokens);
      add_attention(tokens, 48);
      add_attention(tokens, 0);
    }
  }

  void add_gemm(DType dtype, int64_t tokens) {
    auto matrix = std::make_shared<Matrix>(make_matrix(*stream_, {{dtype, 300}}, kWidth));
    ops_.push_back({.name = std::string(dtype_info(dtype).name) + " gemm of " + std::to_string(tokens),
                    .input = rows(dtype == DType::kF32 ? DType::kF32 : DType::kBF16, tokens),
                    .out_bytes = static_cast<size_t>(tokens * 300 * 4),
                    .run = [matrix, tokens](Stream& stream, std::byte* in, std::byte* out) {
                      gemm(stream, {.weight = &matrix->packed,
                                    .input = matrix->packed.input(tokens, in),
                                    .out = make_tensor(out, DType::kF32, tokens, 300)});
                    }});
  }

  void add_gated(int64_t tokens) {
    auto matrix = std::make_shared<Matrix>(make_matrix(*stream_, {{DType::kBF16, 200}, {DType::kBF16, 200}}, kWidth));
    ops_.push_back({.name = "gated gemm of " + std::to_string(tokens),
                    .input = rows(DType::kBF16, tokens),
                    .out_bytes = static_cast<size_t>(tokens * 200 * 2),
                    .run = [matrix, tokens](Stream& stream, std::byte* in, std::byte* out) {
                      gated_gemm(stream,
                                 {.weight = &matrix->packed,
                                  .input = matrix->packed.input(tokens, in),
                                  .out = {.form = InputForm::kBf16, .tokens = tokens, .width = 200, .data = out}});
                    }});
  }

  void add_norms(int64_t tokens) {
    auto weight = std::make_shared<DeviceArray<float>>(*stream_, random_floats(kWidth, 3));
    auto branch = std::make_shared<DeviceArray<std::byte>>(*stream_, rows(DType::kBF16, tokens));
    const auto formed = [tokens](std::byte* out) {
      return GemmInput{.form = InputForm::kBf16, .tokens = tokens, .width = kWidth, .data = out};
    };
    ops_.push_back(
        {.name = "norm of " + std::to_string(tokens),
         .input = rows(DType::kF32, tokens),
         .out_bytes = static_cast<size_t>(tokens * kWidth * 2),
         .run = [=](Stream& stream, std::byte* in, std::byte* out) {
           rms_norm(stream,
                    {.x = make_tensor(in, DType::kF32, tokens, kWidth), .weight = weight->data(), .out = formed(out)});
         }});
    ops_.push_back({.name = "input of " + std::to_string(tokens),
                    .input = rows(DType::kF32, tokens),
                    .out_bytes = static_cast<size_t>(tokens * kWidth * 2),
                    .run = [=](Stream& stream, std::byte* in, std::byte* out) {
                      quantize_input(stream, make_tensor(in, DType::kF32, tokens, kWidth), formed(out));
                    }});
    ops_.push_back({.name = "sum and norm of " + std::to_string(tokens),
                    .input = rows(DType::kF32, tokens),
                    .run = [=](Stream& stream, std::byte* in, std::byte*) {
                      add_norm(stream, {.y = make_tensor(branch->data(), DType::kBF16, tokens, kWidth),
                                        .post_weight = weight->data(),
                                        .residual = make_tensor(in, DType::kF32, tokens, kWidth)});
                    }});
  }

  /// Of one sequence, whose last tokens the rows are. value_dim: as KvLayer's.
  void add_attention(int64_t tokens, int value_dim) {
    constexpr int kHeads = 4;
    constexpr int kHeadDim = 64;
    constexpr int kBlocks = 40;
    const int64_t width = kHeads * kHeadDim;
    const int64_t out_width = kHeads * (value_dim > 0 ? value_dim : kHeadDim);
    struct State {
      DeviceArray<std::byte> cache;
      DeviceArray<int32_t> starts, contexts, table;
      DeviceArray<std::byte> workspace;
      KvLayer layer;
    };
    const auto bytes_of = value_dim > 0 ? shared_layer_bytes : kv_layer_bytes;
    const int64_t block = bytes_of(*device_, 16, 1, kHeadDim, KvDtype::kBF16);
    std::vector<int32_t> table(kBlocks);
    for (int i = 0; i < kBlocks; ++i) table[static_cast<size_t>(i)] = i;
    constexpr int kContext = 16 * kBlocks - 5;
    auto state = std::make_shared<State>(State{
        .cache = {*stream_, random_rows(DType::kBF16, kBlocks, block / 2, 4)},
        .starts = {*stream_, std::vector<int32_t>{0, static_cast<int32_t>(tokens)}},
        .contexts = {*stream_, std::vector<int32_t>{kContext}},
        .table = {*stream_, table},
        .workspace =
            unwritten(*stream_, paged_attention_workspace(*device_, tokens, kContext, kHeads, kHeadDim, value_dim)),
        .layer = {}});
    state->layer = {state->cache.data(), block, 16, 1, kHeadDim, KvDtype::kBF16, value_dim};
    ops_.push_back({.name = "attention of " + std::to_string(tokens) + (value_dim > 0 ? ", values among the keys" : ""),
                    .input = random_rows(DType::kBF16, tokens, width, 6),
                    .out_bytes = static_cast<size_t>(tokens * out_width * 2),
                    .run = [=](Stream& stream, std::byte* in, std::byte* out) {
                      paged_attention(
                          stream,
                          {.q = make_tensor(in, DType::kBF16, tokens, width),
                           .heads = kHeads,
                           .cache = state->layer,
                           .batch = {.num_seqs = 1,
                                     .query_start = state->starts.data(),
                                     .context_len = state->contexts.data(),
                                     .block_table = state->table.data(),
                                     .block_table_stride = kBlocks},
                           .max_context = kContext,
                           .workspace = state->workspace.data(),
                           .out = {.form = InputForm::kBf16, .tokens = tokens, .width = out_width, .data = out}});
                    }});
  }

  static Bytes rows(DType dtype, int64_t tokens) { return random_rows(dtype, tokens, kWidth, 5); }

  /// What an op makes of its input, where `before` brings that to where it is read.
  template <typename Before>
  Bytes result(const Op& op, const Before& before) {
    const DeviceArray in = unwritten(*stream_, op.input.size());
    const DeviceArray out = unwritten(*stream_, op.out_bytes);
    const DeviceArray source(*stream_, op.input);
    stream_->synchronize();
    before(in.data(), source.data());
    op.run(*stream_, in.data(), out.data());
    return op.out_bytes > 0 ? out.values() : in.values();
  }
  Bytes expected(const Op& op) {
    return result(op, [&](std::byte* in, const std::byte* source) {
      stream_->copy(in, source, op.input.size());
      stream_->synchronize();
    });
  }

  static constexpr int64_t kWidth = 512;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  std::vector<Op> ops_;
};

TEST_F(EarlyKernels, ReadWhatASlowKernelBeforeThemWrites) {
  for (const Op& op : ops_) {
    const Bytes right = expected(op);
    for (int repeat = 0; repeat < 3; ++repeat) {
      EXPECT_EQ(right, result(op, [&](std::byte* in,
                                      const std::byte* source) { late_copy(*stream_, in, source, op.input.size()); }))
          << op.name;
    }
  }
}

TEST_F(EarlyKernels, PassOnThatTheyWaitedToWhoComesNext) {
  const Op& last = ops_.back();
  const Bytes right = expected(last);
  for (const Op& between : ops_) {
    const DeviceArray input(*stream_, between.input);
    const DeviceArray output = unwritten(*stream_, between.out_bytes);
    EXPECT_EQ(right, result(last,
                            [&](std::byte* in, const std::byte* source) {
                              late_copy(*stream_, in, source, last.input.size());
                              between.run(*stream_, input.data(), output.data());
                            }))
        << between.name;
  }
}

/// Sequences that begin with the same tokens, and end with the same few.
struct SameSequences {
  int count;
  int queries;
  int context;
};

/// What they attend to where the keys and values of their own tokens come late, `late` says, and all else is settled.
/// value_dim: as KvLayer's.
Bytes attend_to_the_newest(Stream& stream, const SameSequences& sequences, KvDtype dtype, int value_dim, bool late) {
  constexpr int kHeads = 4;
  constexpr int kHeadDim = 128;
  constexpr int kBlockSize = 16;
  constexpr int kBlocks = 80;
  const auto bytes_of = value_dim > 0 ? shared_layer_bytes : kv_layer_bytes;
  const int64_t block = bytes_of(stream.device(), kBlockSize, 1, kHeadDim, dtype);
  const int64_t row = kHeadDim * (dtype == KvDtype::kFp8 ? 1 : dtype == KvDtype::kBF16 ? 2 : 4);
  Bytes bytes = random_rows(dtype == KvDtype::kF32 ? DType::kF32 : DType::kBF16, kBlocks,
                            block / (dtype == KvDtype::kF32 ? 4 : 2), 4);
  if (dtype == KvDtype::kFp8) {
    for (std::byte& one : bytes) one &= std::byte{0xbf};  // numbers, all of them
  }
  const DeviceArray right(stream, bytes);
  std::vector<size_t> newest;
  for (int p = sequences.context - sequences.queries; p < sequences.context; ++p) {
    for (const int part : {0, kBlockSize}) {  // the keys' and the values' rows
      if (part > 0 && value_dim > 0) continue;
      newest.push_back(static_cast<size_t>(p / kBlockSize * block + (part + p % kBlockSize) * row));
      if (late) std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(newest.back()), row, std::byte{0x11});
    }
  }
  const DeviceArray cache(stream, bytes);
  std::vector<int32_t> starts;
  std::vector<int32_t> table;
  for (int s = 0; s <= sequences.count; ++s) starts.push_back(s * sequences.queries);
  for (int b = 0; b < kBlocks; ++b) table.push_back(b);
  const int64_t tokens = starts.back();
  const int64_t width = kHeads * kHeadDim;
  const int64_t out_width = kHeads * (value_dim > 0 ? value_dim : kHeadDim);
  const DeviceArray q(stream, random_rows(DType::kBF16, tokens, width, 6));
  const DeviceArray starts_there(stream, starts);
  const DeviceArray contexts(stream, int64_t{sequences.count}, int32_t{sequences.context});
  const DeviceArray rows(stream, int64_t{sequences.count}, int32_t{0});
  const DeviceArray table_there(stream, table);
  const DeviceArray out = unwritten(stream, static_cast<size_t>(tokens * out_width * 2));
  const DeviceArray workspace = unwritten(
      stream, paged_attention_workspace(stream.device(), tokens, sequences.context, kHeads, kHeadDim, value_dim));
  stream.synchronize();
  for (size_t i = 0; late && i < newest.size(); ++i) {
    late_copy(stream, cache.data() + newest[i], right.data() + newest[i], static_cast<size_t>(row));
  }
  paged_attention(stream,
                  {.q = make_tensor(q.data(), DType::kBF16, tokens, width),
                   .heads = kHeads,
                   .scale = 0.3F,
                   .cache = {cache.data(), block, kBlockSize, 1, kHeadDim, dtype, value_dim},
                   .batch = {.num_seqs = sequences.count,
                             .query_start = starts_there.data(),
                             .context_len = contexts.data(),
                             .table_rows = rows.data(),
                             .block_table = table_there.data(),
                             .block_table_stride = kBlocks},
                   .settled = true,
                   .max_context = sequences.context,
                   .workspace = workspace.data(),
                   .out = {.form = InputForm::kBf16, .tokens = tokens, .width = out_width, .data = out.data()}});
  return out.values();
}

TEST_F(EarlyKernels, AttentionReadsTheNewestKeysOnceTheyAreThere) {
  for (const KvDtype dtype : {KvDtype::kBF16, KvDtype::kFp8, KvDtype::kF32}) {
    for (const SameSequences& sequences : {SameSequences{1, 1, 1},
                                           {1, 1, 700},
                                           {1, 3, 514},
                                           {1, 1, 1280},
                                           {1, 2, 129},
                                           {300, 1, 300},
                                           {300, 2, 257},
                                           {1, 40, 200}}) {
      for (const int value_dim : {0, 96}) {
        EXPECT_EQ(attend_to_the_newest(*stream_, sequences, dtype, value_dim, true),
                  attend_to_the_newest(*stream_, sequences, dtype, value_dim, false))
            << kv_dtype_name(dtype) << ", " << sequences.count << " of " << sequences.queries << " queries at "
            << sequences.context << ", values of " << value_dim;
      }
    }
  }
}

}  // namespace
}  // namespace caravel::kernels::cuda
