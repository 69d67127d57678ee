#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "format/weight_source.h"
#include "kernels/packed_weight.h"
#include "model/config.h"

namespace caravel::model {

/// A layer's weights, as packed ones (decoder.h) or as what is known of them before (below). Absent ones are empty.
template <typename Matrix, typename Vector>
struct LayerOf {
  Vector attn_norm, ffn_norm;            // [hidden]
  Vector post_attn_norm, post_ffn_norm;  // [hidden]: sandwich norms
  Vector q_norm, k_norm;                 // [head_dim]
  Matrix qkv;                            // [(heads + 2 kv_heads) * head_dim, hidden]
  Vector qkv_bias;                       // [(heads + 2 kv_heads) * head_dim]
  Matrix attn_out;                       // [hidden, heads * head_dim]
  Vector attn_out_bias;                  // [hidden]
  Matrix gate_up;                        // [2 * intermediate, hidden]
  Vector gate_up_bias;                   // [2 * intermediate]
  Matrix down;                           // [hidden, intermediate]
  Vector down_bias;                      // [hidden]
};

/// Every weight of a model.
template <typename Matrix, typename Vector>
struct WeightsOf {
  Matrix embedding;   // [vocab, hidden]
  Vector final_norm;  // [hidden]
  Matrix lm_head;     // [vocab, hidden]; empty: tied to the embedding
  std::vector<LayerOf<Matrix, Vector>> layers;
  size_t bytes = 0;  // what all the above take in memory
};

/// Matrices of one input that will be stacked along their outputs.
class MatrixLayout {
 public:
  struct Part {
    const format::WeightInfo* weight = nullptr;
    DType dtype = DType::kF32;  // in memory
    int64_t rows = 0;
  };

  MatrixLayout() = default;
  /// As `device` will pack them. rotated: in memory the rows will be (kernels::rotate_rows()).
  MatrixLayout(Device& device, std::vector<Part> parts, int64_t in, bool rotated = false);

  const std::vector<Part>& parts() const { return parts_; }
  int64_t in() const { return in_; }
  int64_t out() const;
  bool rotated() const { return rotated_; }
  kernels::InputForm input_form() const { return form_; }
  size_t bytes() const { return bytes_; }  // packed
  explicit operator bool() const { return !parts_.empty(); }

 private:
  std::vector<Part> parts_;
  int64_t in_ = 0;
  bool rotated_ = false;
  kernels::InputForm form_ = kernels::InputForm::kF32;
  size_t bytes_ = 0;
};

/// Vectors that will lie one after the other, as f32.
class VectorLayout {
 public:
  struct Part {
    const format::WeightInfo* weight = nullptr;  // nullptr: zeros
    int64_t width = 0;
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

/// From the files' headers alone, as `device` will hold them. Throws FormatError when a weight is missing or its shape
/// is not the configuration's (names it, with both shapes), Unsupported when the source holds one that the architecture
/// does not read (names it).
WeightLayout weight_layout(Device& device, const format::WeightSource& source, const ModelConfig& config);

}  // namespace caravel::model
