#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "device/tensor.h"

namespace caravel {
class Stream;
}

namespace caravel::kernels {

/// How the logits of a layer's router become a choice of experts, and what each one's output is multiplied by.
struct RouterRule {
  enum class Score : uint8_t {
    kSoftmax,          // of all logits, before the choice (Shazeer et al. 2017; Qwen's, OLMoE's)
    kSoftmaxOfChosen,  // of the chosen logits alone (Mixtral's, gpt-oss', Granite's)
    kSigmoid,          // each logit by itself (DeepSeek-V3, section 2.1.2)
  };
  enum class GroupScore : uint8_t {
    kLargest,          // a group is as good as its best expert (DeepSeek-V2)
    kSumOfTwoLargest,  // as its two best together (DeepSeek-V3)
  };

  Score score = Score::kSoftmax;
  int experts = 0;
  int per_token = 0;      // how many are chosen, 1 to kMaxExpertsPerToken
  int groups = 1;         // of neighbouring experts, equally many
  int chosen_groups = 1;  // experts of the others are not chosen
  GroupScore group_score = GroupScore::kLargest;
  bool renormalized = false;  // the chosen weights are divided by their sum
  float scale = 1.0F;         // and then multiplied by this
};

inline constexpr int kMaxExperts = 1024;
inline constexpr int kMaxExpertsPerToken = 32;
/// What is added to the sum that weights are divided by, as DeepSeek-V3's code has it: it changes no sum above 1e-12,
/// and weights that are all 0 stay 0.
inline constexpr float kLeastWeightSum = 1e-20F;

/// Which experts the tokens of a step go to, and where their rows lie when those of an expert lie together: the
/// token-to-expert table of DeepSpeed-Inference (SC'22, section V) and its inverse. No token is ever dropped. Device
/// memory; what it holds is known once the router has run, so the commands behind read it there.
struct ExpertTable {
  int64_t tokens = 0;
  int experts = 0;
  int per_token = 0;
  int32_t* chosen = nullptr;     // [tokens, per_token]: a token's experts, ascending, each once
  float* weights = nullptr;      // [tokens, per_token]: of those
  int32_t* row_begin = nullptr;  // [experts + 1]: expert e has the rows row_begin[e] .. row_begin[e + 1]
  int32_t* rows = nullptr;       // [tokens, per_token]: a token's row at each of its experts
  int32_t* row_token = nullptr;  // [tokens * per_token]: whose a row is; those of an expert in the order of tokens

  CARAVEL_HOST_DEVICE int64_t row_count() const { return tokens * per_token; }
};

/// Memory of a table, and the table in it.
size_t expert_table_bytes(int64_t tokens, const RouterRule& rule);
ExpertTable expert_table(std::byte* memory, int64_t tokens, const RouterRule& rule);

/// Fails a CHECK where no device can carry the rule out, or the table is another's.
void check_rule(const RouterRule& rule, const ExpertTable& table);

struct ChooseExpertsArgs {
  Tensor logits;                       // f32 [tokens, at least rule.experts]
  const float* choice_bias = nullptr;  // [experts]: added to scores for the choice alone (DeepSeek-V3), or nullptr
  RouterRule rule;
  ExpertTable table;
};

/// Writes `chosen` and `weights` of each token. Of equal scores the lower expert is chosen; NaN is chosen last, and
/// then a weight may be NaN, yet experts are valid and each once whatever the logits are.
void choose_experts(Stream& stream, const ChooseExpertsArgs& args);

/// Writes the rest of the table from `chosen`, by counting.
void sort_by_expert(Stream& stream, const ExpertTable& table);

}  // namespace caravel::kernels
