#include "model/encoder_config.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "model/arch/architecture.h"
#include "model/config_reader.h"

namespace caravel::model {
namespace {

constexpr std::pair<std::string_view, Pooling> kPoolings[] = {
    {"mean", Pooling::kMean}, {"cls", Pooling::kCls}, {"max", Pooling::kMax}};

/// What a BertModel may be that computes something else.
void refuse_other_kinds(const ConfigReader& reader) {
  const std::string& path = reader.source().path();
  const nlohmann::json* positions = reader.find("position_embedding_type");
  if (positions != nullptr && !positions->is_null() && *positions != "absolute") {
    throw fail<Unsupported>("{}: position_embedding_type {} is not supported; \"absolute\" is", path,
                            ConfigReader::shown(*positions));
  }
  for (const char* const key : {"is_decoder", "add_cross_attention"}) {
    if (reader.truth(key) == true) throw fail<Unsupported>("{}: {} is true; Caravel runs encoders", path, key);
  }
}

void read_modules(const format::WeightSource& source, EncoderConfig& config) {
  const format::SentenceModules& modules = source.sentence_modules();
  if (!modules.other.empty()) {
    throw fail<Unsupported>("{}: modules.json has a {}; Transformer, Pooling and Normalize are supported",
                            source.path(), modules.other);
  }
  // sentence-transformers takes the mean where nothing is said, and Pooling's own default is the mean too.
  const std::string& mode = modules.pooling;
  const auto* const known = std::ranges::find(kPoolings, mode, &std::pair<std::string_view, Pooling>::first);
  if (known == std::end(kPoolings) && !mode.empty()) {
    throw fail<Unsupported>("{}: pooling {} is not supported; those there are: mean, cls, max", source.path(), mode);
  }
  if (known != std::end(kPoolings)) config.pooling = known->second;
  config.normalizes = modules.normalizes;
  config.decisions.push_back({"pooling", std::string(pooling_name(config.pooling)),
                              mode.empty() ? "there is no modules.json that says it: as sentence-transformers does then"
                                           : "the pooling's config.json"});
  config.decisions.push_back({"length of vectors", config.normalizes ? "1" : "as it comes",
                              modules.given ? "modules.json" : "there is no modules.json", ""});
}

}  // namespace

std::string_view pooling_name(Pooling pooling) {
  return std::ranges::find(kPoolings, pooling, &std::pair<std::string_view, Pooling>::second)->first;
}

EncoderConfig read_encoder_config(const format::WeightSource& source) {
  const ConfigReader reader(source, kBert);
  const ConfigKeys& keys = kBert.keys;
  const auto integer = [&](const Key& key, int max) { return static_cast<int>(reader.integer(key, 1, max)); };
  refuse_other_kinds(reader);
  EncoderConfig config;
  config.name = model_name(source);
  config.vocab_size = integer({{}, {"vocab_size"}}, kMaxVocabulary);
  config.hidden_size = integer(keys.hidden_size, kMaxWidth);
  config.intermediate_size = integer(keys.intermediate_size, kMaxWidth);
  config.num_heads = integer(keys.heads, kMaxHeads);
  config.num_layers = integer(keys.layers, kMaxLayers);
  config.max_position = integer(keys.max_position, kMaxPosition);
  config.token_types = integer({{}, {"type_vocab_size", 2}}, kMaxWidth);
  config.norm_epsilon = static_cast<float>(reader.number(keys.norm_epsilon, 1e-20, 1));
  config.activation = read_activation(reader, kBert);
  if (config.hidden_size % config.num_heads != 0) {
    throw fail<FormatError>("{}: hidden_size is {}, no multiple of {} heads", source.path(), config.hidden_size,
                            config.num_heads);
  }
  config.head_dim = config.hidden_size / config.num_heads;
  read_modules(source, config);
  const int said = source.sentence_modules().max_length;
  config.max_length = said == 0 ? config.max_position : std::min(said, config.max_position);
  return config;
}

}  // namespace caravel::model
