#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "caravel/config.h"
#include "caravel/decision.h"
#include "format/weight_source.h"
#include "kernels/activation.h"
#include "kernels/expert_table.h"
#include "kernels/kv_cache.h"
#include "model/shard.h"

namespace caravel::model {

/// One rotary embedding: frequencies with every scaling already in them.
struct RotarySpec {
  int dim = 0;                      // rotated elements of a head
  std::vector<float> inverse_freq;  // [dim / 2]
  float magnitude = 1.0F;           // what cos and sin are multiplied by
  double reach = 0;                 // tokens that a scaling was made to reach; 0: it says nothing of that
  /// In place of inverse_freq where sequences may be longer than short_context (LongRoPE, Ding et al. 2024). What is
  /// cached of one set is wrong with the other, so that the longest sequence there may be chooses for all.
  std::vector<float> long_inverse_freq;  // [dim / 2]; empty: there is no other set
  int64_t short_context = 0;             // tokens
  float score_factor = 1.0F;             // what YaRN has scores of latent attention multiplied by
  /// A query at position p is multiplied by 1 + query_growth * ln(1 + floor(p / query_interval)); 0: it is not.
  float query_growth = 0;
  int32_t query_interval = 0;    // tokens
  std::string scaling = "none";  // for people
  bool given = false;            // that scaling was, in place of the files'

  bool is_long(int64_t max_context) const { return !long_inverse_freq.empty() && max_context > short_context; }
  const std::vector<float>& frequencies(int64_t max_context) const {
    return is_long(max_context) ? long_inverse_freq : inverse_freq;
  }
};

/// The experts of the layers that have a router.
struct ExpertsSpec {
  kernels::RouterRule rule;          // rule.experts is 0 in a model without any
  int intermediate_size = 0;         // of each
  int shared_intermediate_size = 0;  // of those that every token has, together; 0: none
  bool shared_gate = false;          // what they give is multiplied by the sigmoid of a logit of its own
};

/// Multi-head latent attention (DeepSeek-V2: arXiv 2405.04434, section 2.1). All heads' keys and values are what their
/// matrices make of one latent, but for a rotated key that heads share: these two are what is cached. The matrices are
/// absorbed, whatever the number of tokens: a head's query goes through that of its keys, and what attention gives it
/// through that of its values. So attention has one KV head, whose key is the latent and the shared key, and whose
/// value is the latent.
struct LatentSpec {
  int latent_dim = 0;        // 0: the model has no such attention
  int query_latent_dim = 0;  // of the latent that queries come from; 0: they come from the hidden state
  int nope_dim = 0;          // of a head's query, the elements that are not rotated, and those that are
  int rotary_dim = 0;
  int value_dim = 0;           // of a head
  float norm_epsilon = 1e-6F;  // of the latents

  explicit operator bool() const { return latent_dim > 0; }
};

/// A layer as data. A weight that is absent is a layer that is absent.
struct LayerSpec {
  int window = 0;       // tokens that attention sees, its own included; 0: all
  int rotary = 0;       // index into ModelConfig::rotary; -1: none
  bool routed = false;  // its feed-forward is ModelConfig::experts
};

/// An architecture's numbers, read from a table under model/arch/ (docs/adding-an-architecture.md).
struct ModelConfig {
  std::string architecture;  // "llama", "mistral", "qwen2", "qwen3", "gemma3", ...
  std::string name;          // for people
  int vocab_size = 0;
  int hidden_size = 0;
  int intermediate_size = 0;
  int num_heads = 0;
  int num_kv_heads = 0;
  int head_dim = 0;      // of what is cached as a key
  int max_position = 0;  // the longest context the model was made for
  float norm_epsilon = 1e-5F;
  float attention_scale = 0;  // what q . k is multiplied by
  float embedding_scale = 1.0F;
  float logits_scale = 1.0F;
  float attention_soft_cap = 0;
  float final_soft_cap = 0;
  kernels::Activation activation = kernels::Activation::kSilu;
  kernels::RotaryStyle rotary_style = kernels::RotaryStyle::kHalves;
  bool layer_norm = false;                          // norms are LayerNorm, which has a bias, not RMS norm
  int first_position = 0;                           // of learned positions, the row of a sequence's first token
  bool qk_norm_rows = false;                        // QK norm's mean of squares is over all heads of Q, or of K
  bool norm_adds_one = false;                       // stored norm weights are w - 1 (Gemma in a Hugging Face folder)
  bool tied_lm_head = false;                        // the embedding is the LM head
  Quantization quantization = Quantization::kNone;  // EngineConfig's
  Placement placement;  // of the rank that the model is read for; all else is the whole model's
  std::vector<RotarySpec> rotary;
  LatentSpec latent;
  ExpertsSpec experts;
  std::vector<LayerSpec> layers;
  int unread_layers = 0;            // in the files, behind these
  std::vector<Decision> decisions;  // what the files left open, or say and is not done
};

/// Layers whose keys and values live and die together: they have the same window. Groups hold the same number of
/// layers, so that one pool of equal blocks serves all (a group of fewer layers is padded).
struct KvGroup {
  int window = 0;
  std::vector<int> layers;  // ascending, counted from the shard's first
};
struct KvLayout {
  std::vector<KvGroup> groups;  // those with window 0 first
  int layers_per_group = 0;     // parts in a block: of the group that has most
  int64_t layer_bytes = 0;      // what one layer takes in a block
  int64_t block_bytes() const { return layer_bytes * layers_per_group; }
};

/// Reads the configuration. Throws Unsupported (names the architecture and those there are; scaling types alike),
/// FormatError (a key that is missing or makes no sense, named), InvalidArgument (in rope_scaling alike).
/// rope_scaling: EngineConfig's.
ModelConfig read_config(const format::WeightSource& source, const std::string& rope_scaling = "");

/// As `device` keeps the keys and values of the configuration's shard. Groups and their order are the whole model's on
/// every rank, so that one block table serves all; a block holds a rank's own heads of its own layers. A group takes
/// its layers from all over the model, so that the stages of a pipeline have about equally many of each. Fewer groups
/// mean fewer block tables; more layers in a group may mean padding, which is memory that holds nothing. So: the fewest
/// groups of which at most a 32nd is padding (one group where all windows are equal; Gemma 3 270M, 15 layers with a
/// window and 3 without: 6 groups of 3, no padding; 4B, 29 and 5: 7 groups of 5, one part of 35). Where more than
/// kMaxKvGroups would be needed for that: the least padding that they allow.
KvLayout kv_layout(Device& device, const ModelConfig& config, int block_size, kernels::KvDtype dtype);

}  // namespace caravel::model
