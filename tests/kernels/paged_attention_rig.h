#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "kernels/input_values.h"
#include "kernels/latent_cache.h"
#include "kernels/op_testing.h"
#include "kernels/paged_attention.h"
#include "kernels/product_rows.h"
#include "kernels/ref/kv_cache.h"
#include "kernels/ref/paged_attention.h"

namespace caravel::kernels {

struct AttentionCase {
  int heads = 3;
  int kv_heads = 1;
  int head_dim = 64;
  int value_dim = 0;  // as KvLayer's
  KvDtype dtype = KvDtype::kF16;
  int block_size = 16;
  int window = 0;
  float soft_cap = 0.0F;
  bool sinks = false;
  InputForm form = InputForm::kF32;

  int value_elements() const { return value_dim > 0 ? value_dim : head_dim; }
  int q_width() const { return heads * head_dim; }
  int width() const { return heads * value_elements(); }
  int qkv_width() const { return q_width() + (value_dim > 0 ? head_dim : 2 * kv_heads * head_dim); }
  std::string name() const {
    return std::to_string(heads) + "/" + std::to_string(kv_heads) + " heads of " + std::to_string(head_dim) + " in " +
           kv_dtype_name(dtype) + (value_dim > 0 ? ", values of " + std::to_string(value_dim) : "") + ", blocks of " +
           std::to_string(block_size) + ", window " + std::to_string(window) + ", soft cap " +
           std::to_string(soft_cap) + (sinks ? ", sinks" : "");
  }
};

/// A few sequences with random queries, keys and values, run through rotary_cache and paged_attention in whatever
/// steps a test likes. What is not written in the cache is NaN, blocks lie in shuffled order, and table entries outside
/// the window are -1.
class AttentionRig {
 public:
  struct Chunk {
    int sequence;
    int count;
  };

  AttentionRig(const AttentionCase& c, std::vector<int> lengths, Isa isa, int threads = 2)
      : case_(c), lengths_(std::move(lengths)), machine_(isa, threads) {
    int blocks = 0;
    for (const int length : lengths_) blocks += (length + c.block_size - 1) / c.block_size;
    const auto layer_bytes = c.value_dim > 0 ? shared_layer_bytes : kv_layer_bytes;
    const int64_t bytes = layer_bytes(machine_.device, c.block_size, c.kv_heads, c.head_dim, c.dtype);
    cache_ = unwritten(*machine_.stream, static_cast<size_t>(blocks * bytes));
    layer_ = {cache_.data(), bytes, c.block_size, c.kv_heads, c.head_dim, c.dtype, c.value_dim};
    std::vector<int32_t> order(static_cast<size_t>(blocks));
    for (int i = 0; i < blocks; ++i) order[static_cast<size_t>(i)] = i;
    std::mt19937 engine(11);
    std::shuffle(order.begin(), order.end(), engine);
    for (size_t s = 0; s < lengths_.size(); ++s) {
      const int own = (lengths_[s] + c.block_size - 1) / c.block_size;
      tables_.emplace_back(order.end() - own, order.end());
      order.resize(order.size() - static_cast<size_t>(own));
      qkv_.push_back(as_products(machine_.device, random_normal(static_cast<int64_t>(lengths_[s]) * c.qkv_width(),
                                                                100 + static_cast<uint32_t>(s))));
      outs_.emplace_back(static_cast<size_t>(lengths_[s]) * static_cast<size_t>(c.width()), NAN);
      done_.push_back(0);
    }
  }

  int left(int sequence) const {
    return lengths_[static_cast<size_t>(sequence)] - done_[static_cast<size_t>(sequence)];
  }
  int sequences() const { return static_cast<int>(lengths_.size()); }
  std::span<const float> out(int sequence) const { return outs_[static_cast<size_t>(sequence)]; }
  int length(int sequence) const { return lengths_[static_cast<size_t>(sequence)]; }

  /// Sequence `to`, which has nothing computed yet, begins with the first `blocks` of `from`, which are; `told`:
  /// whether attention is told so.
  void share_prefix(int from, int to, int blocks, bool told) {
    const auto a = static_cast<size_t>(from);
    const auto b = static_cast<size_t>(to);
    const int tokens = blocks * case_.block_size;
    std::copy_n(tables_[a].begin(), blocks, tables_[b].begin());
    std::copy_n(qkv_[a].begin(), tokens * case_.qkv_width(), qkv_[b].begin());
    std::copy_n(outs_[a].begin(), tokens * case_.width(), outs_[b].begin());
    done_[b] = tokens;
    tell_shared_ = told;
  }

  /// One step of the engine: the next `count` tokens of each sequence named.
  void step(const std::vector<Chunk>& chunks) {
    std::vector<float> qkv;
    std::vector<int64_t> slots;
    std::vector<int32_t> starts = {0};
    std::vector<int32_t> contexts;
    size_t stride = 0;
    for (const auto& table : tables_) stride = std::max(stride, table.size());
    std::vector<int32_t> block_table(chunks.size() * stride, -7);
    int64_t max_context = 0;
    for (size_t i = 0; i < chunks.size(); ++i) {
      const auto s = static_cast<size_t>(chunks[i].sequence);
      const int begin = done_[s];
      const int end = begin + chunks[i].count;
      qkv.insert(qkv.end(), qkv_[s].begin() + begin * case_.qkv_width(), qkv_[s].begin() + end * case_.qkv_width());
      for (int p = begin; p < end; ++p) {
        slots.push_back(int64_t{tables_[s][static_cast<size_t>(p / case_.block_size)]} * case_.block_size +
                        p % case_.block_size);
      }
      starts.push_back(starts.back() + chunks[i].count);
      contexts.push_back(end);
      max_context = std::max<int64_t>(max_context, end);
      const int seen = case_.window > 0 ? std::max(0, begin - case_.window + 1) : 0;
      for (int b = 0; b * case_.block_size < end; ++b) {
        block_table[i * stride + static_cast<size_t>(b)] =
            (b + 1) * case_.block_size <= seen ? -1 : tables_[s][static_cast<size_t>(b)];
      }
    }
    std::vector<int32_t> shared(chunks.size(), 0);
    for (size_t i = 1; i < chunks.size() && tell_shared_; ++i) {
      const int32_t* const row = block_table.data() + i * stride;
      while (shared[i] < static_cast<int>(stride) && row[shared[i]] == (row - stride)[shared[i]]) ++shared[i];
    }
    const int64_t tokens = starts.back();
    Stream& stream = *machine_.stream;
    const ProductRows qkv_there(stream, qkv, case_.qkv_width());
    const DeviceArray slots_there(stream, slots);
    const DeviceArray starts_there(stream, starts);
    const DeviceArray contexts_there(stream, contexts);
    const DeviceArray table_there(stream, block_table);
    const DeviceArray shared_there(stream, shared);
    const Tensor rows = qkv_there.tensor();
    if (case_.value_dim > 0) {
      store_latents(rows, slots_there.data());
    } else {
      rotary_cache(stream, {.qkv = rows, .slots = slots_there.data(), .heads = case_.heads, .cache = layer_});
    }
    const DeviceArray workspace = unwritten(
        stream,
        paged_attention_workspace(machine_.device, tokens, max_context, case_.heads, case_.head_dim, case_.value_dim));
    const DeviceArray sinks_there(stream, sinks());
    const FormedRows out(stream, case_.form, tokens, case_.width());
    paged_attention(stream, {.q = rows,
                             .heads = case_.heads,
                             .scale = scale(),
                             .window = case_.window,
                             .soft_cap = case_.soft_cap,
                             .sinks = case_.sinks ? sinks_there.data() : nullptr,
                             .cache = layer_,
                             .batch = {.num_seqs = static_cast<int>(chunks.size()),
                                       .query_start = starts_there.data(),
                                       .context_len = contexts_there.data(),
                                       .block_table = table_there.data(),
                                       .block_table_stride = static_cast<int64_t>(stride),
                                       .shared_blocks = shared_there.data()},
                             .settled = true,
                             .max_context = max_context,
                             .workspace = workspace.data(),
                             .out = out.rows});
    const int64_t width = case_.width();
    const std::vector<float> values = input_values(stream, out.rows);
    for (size_t i = 0; i < chunks.size(); ++i) {
      const auto s = static_cast<size_t>(chunks[i].sequence);
      std::copy_n(values.begin() + starts[i] * width, chunks[i].count * width, outs_[s].begin() + done_[s] * width);
      done_[s] += chunks[i].count;
    }
  }

  /// All that is left, each sequence in one chunk, all in one step.
  void finish() {
    std::vector<Chunk> chunks;
    for (int s = 0; s < sequences(); ++s) {
      if (left(s) > 0) chunks.push_back({s, left(s)});
    }
    if (!chunks.empty()) step(chunks);
  }

  /// What the double-precision reference gives for the whole sequence, on keys and values rounded as the cache does.
  std::vector<double> expected(int sequence) const {
    const auto s = static_cast<size_t>(sequence);
    std::vector<double> q;
    std::vector<double> k;
    std::vector<double> v;
    for (int p = 0; p < lengths_[s]; ++p) {
      const float* row = qkv_[s].data() + p * case_.qkv_width();
      const int kv_width = case_.kv_heads * case_.head_dim;
      for (int i = 0; i < case_.q_width(); ++i) q.push_back(row[i]);
      k.insert(k.end(), row + case_.q_width(), row + case_.q_width() + kv_width);
      if (case_.value_dim > 0) {
        double* const key = &k[k.size() - static_cast<size_t>(case_.head_dim)];
        const std::vector<float> norm = latent_norm();
        ref::prepare_head(key, case_.value_dim, norm.data(), 1e-6, nullptr, 0, RotaryStyle::kInterleaved);
        ref::round_to(case_.dtype, key, case_.value_dim);
        ref::round_to(case_.dtype, key + case_.value_dim, case_.head_dim - case_.value_dim);
        v.insert(v.end(), key, key + case_.value_dim);
      } else {
        v.insert(v.end(), row + case_.q_width() + kv_width, row + case_.q_width() + 2 * kv_width);
      }
    }
    for (size_t head = 0; case_.value_dim == 0 && head < k.size(); head += static_cast<size_t>(case_.head_dim)) {
      ref::round_to(case_.dtype, k.data() + head, case_.head_dim);
      ref::round_to(case_.dtype, v.data() + head, case_.head_dim);
    }
    const std::vector<float> of_heads = sinks();
    const std::vector<double> sinks(of_heads.begin(), of_heads.end());
    std::vector<double> out(static_cast<size_t>(lengths_[s]) * static_cast<size_t>(case_.width()));
    ref::attention({.q = q.data(),
                    .k = k.data(),
                    .v = v.data(),
                    .queries = lengths_[s],
                    .context = lengths_[s],
                    .heads = case_.heads,
                    .kv_heads = case_.kv_heads,
                    .head_dim = case_.head_dim,
                    .value_dim = case_.value_dim,
                    .scale = scale(),
                    .window = case_.window,
                    .soft_cap = case_.soft_cap,
                    .sinks = case_.sinks ? sinks.data() : nullptr,
                    .out = out.data()});
    return out;
  }

  /// Scores are sums of head_dim products of about 1/sqrt(head_dim) each, whose rounding errors add up as
  /// head_dim * 2/pi at the worst; weights take them over; sums over the context add their own. Values stay below 5.
  /// Where products are of 16 bits, weights are rounded to the type of values of 16 bits, too, to bf16 for int8 and to
  /// f16 for fp8.
  double tolerance(int sequence) const {
    const double context = lengths_[static_cast<size_t>(sequence)];
    double rounding = kRounding * (16 + case_.head_dim * 0.64 + std::sqrt(context));
    if (product_dtype(machine_.device) != DType::kF32) {
      const bool halves = case_.dtype == KvDtype::kF16 || case_.dtype == KvDtype::kFp8;
      rounding += halves ? 0x1p-11 : case_.dtype == KvDtype::kF32 ? 0 : 0x1p-8;
    }
    return 5 * 2 * rounding;
  }
  Device& device() { return machine_.device; }

 private:
  std::vector<float> latent_norm() const {
    std::vector<float> weights = random_normal(case_.value_dim, 77, 0.3F);
    for (float& weight : weights) weight += 1.0F;
    return weights;
  }

  /// Queries stay as they are: their last elements are rotated by nothing, and the first ones are handed on elsewhere.
  void store_latents(const Tensor& rows, const int64_t* slots) {
    Stream& stream = *machine_.stream;
    const int rotary_dim = case_.head_dim - case_.value_dim;
    std::vector<float> unturned;
    for (int64_t i = 0; i < rows.rows * rotary_dim / 2; ++i) unturned.insert(unturned.end(), {1.0F, 0.0F});
    const DeviceArray cos_sin(stream, unturned);
    const DeviceArray norm(stream, latent_norm());
    const FormedRows nope(stream, InputForm::kF32, rows.rows, int64_t{case_.heads} * case_.value_dim);
    Tensor q = rows;
    q.width = case_.q_width();
    Tensor latent = rows;
    latent.data = static_cast<std::byte*>(rows.data) + row_bytes(rows.dtype, case_.q_width());
    latent.width = case_.head_dim;
    latent_cache(stream, {.q = q,
                          .latent = latent,
                          .norm = norm.data(),
                          .cos_sin = cos_sin.data(),
                          .slots = slots,
                          .heads = case_.heads,
                          .nope_dim = case_.value_dim,
                          .cache = layer_,
                          .nope = nope.rows,
                          .rotated = q});
    stream.synchronize();
  }

  /// Of each head: far below its scores, among them, above them, and far above, where hardly any weight is left.
  std::vector<float> sinks() const {
    const float scores[] = {-200.0F, 0.5F, 3.0F, 100.0F};
    std::vector<float> of_heads;
    for (int head = 0; head < case_.heads; ++head) of_heads.push_back(scores[head % 4]);
    return of_heads;
  }

  float scale() const { return 1.0F / std::sqrt(static_cast<float>(case_.head_dim)); }

  AttentionCase case_;
  std::vector<int> lengths_;
  Machine machine_;
  DeviceArray<std::byte> cache_{*machine_.stream, std::vector<std::byte>()};
  KvLayer layer_;
  std::vector<std::vector<int32_t>> tables_;  // by sequence
  std::vector<std::vector<float>> qkv_;
  std::vector<std::vector<float>> outs_;
  std::vector<int> done_;
  bool tell_shared_ = false;
};

}  // namespace caravel::kernels
