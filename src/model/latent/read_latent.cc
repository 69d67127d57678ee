#include "model/latent/read_latent.h"

#include <utility>

#include "base/error.h"

namespace caravel::model {
namespace {

/// Since llama.cpp has widths of heads under keys of their own, the usual ones are of what is cached, as one head.
void check_cached(const ConfigReader& reader, const LatentSpec& spec) {
  if (reader.find("attention.key_length_mla") == nullptr) return;
  const std::pair<const char*, int> cached[] = {{"attention.key_length", spec.latent_dim + spec.rotary_dim},
                                                {"attention.value_length", spec.latent_dim},
                                                {"attention.head_count_kv", 1}};
  for (const auto& [key, wanted] : cached) {
    const int64_t said = reader.integer({{key, wanted}, {}}, 1, kMaxWidth);
    if (said == wanted) continue;
    throw fail<FormatError>("{}: {} is {}; of a latent of {} elements and {} that are rotated it must be {}",
                            reader.source().path(), reader.full_key(key), said, spec.latent_dim, spec.rotary_dim,
                            wanted);
  }
}

}  // namespace

void read_latent(const ConfigReader& reader, const Architecture& architecture, ModelConfig& config) {
  const LatentRule& keys = architecture.latent;
  const bool gguf = reader.convention() == format::Convention::kGguf;
  if (spelled(keys.latent_dim, reader.convention()).key.empty()) return;
  const auto integer = [&](const Key& key, int least) {
    return static_cast<int>(reader.integer(key, least, kMaxWidth));
  };
  const auto named = [&](const Key& key) { return reader.full_key(spelled(key, reader.convention()).key); };
  LatentSpec& spec = config.latent;
  spec.latent_dim = integer(keys.latent_dim, 1);
  spec.query_latent_dim = integer(keys.query_latent_dim, 0);
  spec.rotary_dim = integer(keys.rotary_dim, 2);
  spec.nope_dim = gguf ? integer(keys.query_dim, 1) - spec.rotary_dim : integer(keys.nope_dim, 1);
  spec.value_dim = integer(keys.value_dim, 1);
  spec.norm_epsilon = gguf || !keys.norm_epsilon ? config.norm_epsilon : static_cast<float>(*keys.norm_epsilon);
  if (spec.nope_dim < 1) {
    throw fail<FormatError>("{}: {} is {}, of which {} are rotated ({}); some must not be", reader.source().path(),
                            reader.full_key(keys.query_dim.gguf.key), spec.nope_dim + spec.rotary_dim, spec.rotary_dim,
                            reader.full_key(keys.rotary_dim.gguf.key));
  }
  if (gguf) check_cached(reader, spec);
  // A folder has the number of heads before they are compressed.
  const int64_t kv_heads = reader.integer({{}, {"num_key_value_heads", config.num_heads}}, 1, kMaxHeads);
  if (!gguf && kv_heads != config.num_heads) {
    throw fail<FormatError>("{}: num_key_value_heads is {} and {} is {}; of latent attention they must be the same",
                            reader.source().path(), kv_heads, named(architecture.keys.heads), config.num_heads);
  }
  // Of Mistral Large 3, which llama.cpp has as the same architecture.
  if (reader.number({{"attention.temperature_scale", 0}, {}}, -1e6, 1e6) != 0) {
    throw fail<Unsupported>("{}: {} is not 0: queries that grow with the position are not supported beside a latent",
                            reader.source().path(), reader.full_key("attention.temperature_scale"));
  }
  config.num_kv_heads = 1;
  config.head_dim = spec.latent_dim + spec.rotary_dim;
  if (config.head_dim > kernels::kMaxSharedDim || spec.rotary_dim % 2 != 0) {
    throw fail<Unsupported>(
        "{}: a latent of {} elements ({}) and {} that are rotated ({}) are not supported; together {} are, the second "
        "an even number",
        reader.source().path(), spec.latent_dim, named(keys.latent_dim), spec.rotary_dim, named(keys.rotary_dim),
        kernels::kMaxSharedDim);
  }
  config.decisions.push_back(
      {"keys and values",
       fmt::format("a latent of {} elements, and {} that are rotated", spec.latent_dim, spec.rotary_dim),
       fmt::format("cached once for all {} heads", config.num_heads)});
}

}  // namespace caravel::model
