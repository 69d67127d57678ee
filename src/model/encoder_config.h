#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/config.h"
#include "caravel/decision.h"
#include "format/weight_source.h"
#include "kernels/activation.h"
#include "kernels/pool_rows.h"

namespace caravel::model {

/// How the states of a text's tokens become one vector.
using kernels::Pooling;
std::string_view pooling_name(Pooling pooling);

/// The numbers of a BERT-like encoder (Devlin et al. 2018).
struct EncoderConfig {
  std::string name;  // for people
  int vocab_size = 0;
  int hidden_size = 0;
  int intermediate_size = 0;
  int num_heads = 0;
  int head_dim = 0;
  int num_layers = 0;
  int max_position = 0;  // tokens, special ones included
  int token_types = 0;   // of which the first is every text's
  float norm_epsilon = 1e-12F;
  kernels::Activation activation = kernels::Activation::kGelu;
  Pooling pooling = Pooling::kMean;
  bool normalizes = false;
  int max_length = 0;  // what sentence-transformers would read of a text; at most max_position
  Quantization quantization = Quantization::kNone;  // EngineConfig's
  std::vector<Decision> decisions;                  // what the files left open
};

/// Throws Unsupported (positions that are not learned, a decoder, an activation, a pooling or a module that is not
/// there, each named), FormatError (a key that is missing or makes no sense, named).
EncoderConfig read_encoder_config(const format::WeightSource& source);

}  // namespace caravel::model
