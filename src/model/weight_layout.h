#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "format/weight_source.h"
#include "kernels/packed_weight.h"
#include "model/config.h"

namespace caravel::model {

/// A layer's weights, as packed ones (load_weights.h) or as what is known of them before (below). Absent ones are
/// empty. Shapes are of the rank's shard (shard.h).
template <typename Matrix, typename Vector>
struct LayerOf {
  Vector attn_norm, ffn_norm;            // [hidden]; of a layer's both or neither: a branch reads what it is given
  Vector attn_norm_bias, ffn_norm_bias;  // [hidden]; of LayerNorm
  Vector post_attn_norm, post_ffn_norm;  // [hidden]: sandwich norms
  Vector q_norm, k_norm;                 // [head_dim], or [heads * head_dim] and [kv_heads * head_dim]
  Matrix qkv;                            // [(heads + 2 kv_heads) * head_dim, hidden]; compressed: as below
  Vector qkv_bias;                       // [(heads + 2 kv_heads) * head_dim]
  Vector sinks;                          // [heads]
  Matrix attn_out;                       // [hidden, heads * head_dim]
  Vector attn_out_bias;                  // [hidden]; of tensor-parallel ranks the first alone has it: it is added once
  Matrix gate_up;                        // [2 * intermediate, hidden]; without a gate one part [intermediate, hidden]
  Vector gate_up_bias;                   // as many
  Matrix down;                           // [hidden, intermediate]
  Vector down_bias;                      // [hidden]; as attn_out_bias
  // Of a layer whose keys and values are compressed (LatentSpec). Its qkv is [heads * (nope + rotary), hidden] or
  // [query latent, hidden], and behind that [latent + rotary, hidden]; its attn_out reads heads * value.
  Vector query_latent_norm;  // [query latent]
  Matrix query_up;           // [heads * (nope + rotary), query latent]
  Vector latent_norm;        // [latent]
  Matrix keys_up;            // heads of [latent, nope]: a head's queries go through it
  Matrix values_up;          // heads of [value, latent]
  // Of a layer with a router; its gate_up and down are the experts that every token has.
  Matrix router;          // [experts, hidden], and behind them a row for the shared experts' gate, where it has one
  Vector router_bias;     // [rows of router]
  Vector choice_bias;     // [experts]
  Matrix expert_gate_up;  // experts of [2 * intermediate, hidden]
  Vector expert_gate_up_bias;  // [experts, 2 * intermediate]
  Matrix expert_down;          // experts of [hidden, intermediate]
  Vector expert_down_bias;     // [experts, hidden]; as attn_out_bias
};

/// Every weight of a rank's shard of a model.
template <typename Matrix, typename Vector>
struct WeightsOf {
  Matrix embedding;  // [vocab, hidden]; the first stage's, and where lm_head is tied to it the last one's
  Vector positions;  // [positions, hidden], learned; the first stage's, and of tensor-parallel ranks the first's
  Vector final_norm, final_norm_bias;           // [hidden]; the last stage's
  Matrix lm_head;                               // [vocab, hidden]; the last stage's; empty: tied to the embedding
  std::vector<LayerOf<Matrix, Vector>> layers;  // of the stage
  size_t bytes = 0;                             // what all the above take in memory
};

/// Rows of several weights may lie in turn in one of a file's (gpt-oss' gates and ups): row r of one is row of * r + at
/// there.
struct Turns {
  int64_t of = 1;
  int64_t at = 0;
  int64_t place(int64_t row) const { return of * row + at; }
};

/// Matrices of one input, or the same part of each, that will be stacked along their outputs; or many experts' (or
/// heads') of them, all of the same shapes and types.
class MatrixLayout {
 public:
  struct Part {
    const format::WeightInfo* weight = nullptr;
    DType dtype = DType::kF32;  // in memory
    Slice rows;
    bool by_columns = false;  // the file has [columns, rows], of experts together [experts, columns, rows of each]
    Turns turns;
    int64_t first_column = 0;  // of one by columns: which row of the file is its column 0
  };

  MatrixLayout() = default;
  /// As `device` will pack them. rotated: in memory the rows will be (kernels::rotate_rows()). parts: of one expert
  /// after the other.
  MatrixLayout(Device& device, std::vector<Part> parts, Slice columns, bool rotated = false, int experts = 1);

  int experts() const { return experts_; }
  /// Of one expert. bytes() is that of all of them, in() and out() are one's.
  std::span<const Part> parts(int expert = 0) const {
    const size_t of_each = parts_.size() / static_cast<size_t>(experts_);
    return std::span(parts_).subspan(static_cast<size_t>(expert) * of_each, of_each);
  }
  const Slice& columns() const { return columns_; }
  int64_t in() const { return columns_.size(); }
  int64_t out() const;
  bool rotated() const { return rotated_; }
  /// Where its rows are heads.
  const kernels::HeadRows& heads() const { return heads_; }
  void set_heads(const kernels::HeadRows& heads) { heads_ = heads; }
  kernels::InputForm input_form() const { return form_; }
  size_t bytes() const { return bytes_; }  // packed
  explicit operator bool() const { return !parts_.empty(); }

 private:
  std::vector<Part> parts_;
  Slice columns_;
  bool rotated_ = false;
  int experts_ = 1;
  kernels::HeadRows heads_;
  kernels::InputForm form_ = kernels::InputForm::kF32;
  size_t bytes_ = 0;
};

/// Vectors that will lie one after the other, as f32.
class VectorLayout {
 public:
  struct Part {
    const format::WeightInfo* weight = nullptr;  // nullptr: zeros
    Slice elements;
    Turns turns;  // of elements
  };

  VectorLayout() = default;
  explicit VectorLayout(std::vector<Part> parts) : parts_(std::move(parts)) {}

  const std::vector<Part>& parts() const { return parts_; }
  int64_t width() const;
  size_t bytes() const { return static_cast<size_t>(width()) * sizeof(float); }
  explicit operator bool() const { return !parts_.empty(); }

 private:
  std::vector<Part> parts_;
};

/// Where each weight of a model comes from and how it will stand in memory. Points into its source.
using LayerLayout = LayerOf<MatrixLayout, VectorLayout>;
using WeightLayout = WeightsOf<MatrixLayout, VectorLayout>;

/// Of the configuration's shard, from the files' headers alone, as `device` will hold them. Throws FormatError when a
/// weight is missing or its shape is not the configuration's (names it, with both shapes), Unsupported when the source
/// holds one that the architecture does not read (names it), or when a part of one would begin or end within a block.
WeightLayout weight_layout(Device& device, const format::WeightSource& source, const ModelConfig& config);

}  // namespace caravel::model
