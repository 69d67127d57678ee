#include "model/rotary.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/error.h"
#include "kernels/dequantize.h"
#include "model/rope_scaling.h"

namespace caravel::model {
namespace {

constexpr double kMaxTheta = 1e12;
constexpr double kMaxFactor = 1e6;
constexpr double kMaxContext = 1e9;                                            // tokens
constexpr const char* kRotaryObjects[] = {"rope_scaling", "rope_parameters"};  // of a folder; the first one counts
constexpr const char* kLayerTypes[] = {"full_attention", "sliding_attention"};
/// What a scaling that is given may hold.
constexpr std::string_view kScalingKeys[] = {
    "rope_type",        "type",      "rope_theta",    "factor",   "original_max_position_embeddings",
    "low_freq_factor",  "beta_fast", "beta_slow",     "truncate", "high_freq_factor",
    "attention_factor", "mscale",    "mscale_all_dim"};

RotarySpec make_spec(std::span<const double> frequencies, std::string scaling = "none") {
  RotarySpec spec;
  spec.dim = static_cast<int>(frequencies.size() * 2);
  spec.inverse_freq.assign(frequencies.begin(), frequencies.end());
  spec.scaling = std::move(scaling);
  return spec;
}

bool is_latent(const Architecture& architecture) { return !architecture.latent.latent_dim.hugging_face.key.empty(); }

/// of_scores: a factor of what either side of a score is, beside the rotated elements' magnitude.
RotarySpec make_yarn(std::vector<double> frequencies, double theta, const YarnScaling& scaling, double magnitude,
                     double of_scores) {
  scale_yarn(frequencies, theta, scaling);
  RotarySpec spec =
      make_spec(frequencies, fmt::format("yarn, factor {:.4g} over {:.0f} tokens, attention factor {:.5g}",
                                         scaling.factor, scaling.original_context, magnitude));
  spec.magnitude = static_cast<float>(magnitude);
  spec.score_factor = static_cast<float>(of_scores * of_scores);
  if (of_scores != 1) spec.scaling += fmt::format(", scores times {:.5g}", spec.score_factor);
  spec.reach = scaling.original_context * scaling.factor;
  return spec;
}

int check_rotary_dim(const ConfigReader& reader, int dim, int head_dim, std::string_view name) {
  if (dim < 2 || dim > head_dim || dim % 2 != 0) {
    throw fail<FormatError>("{}: {} makes {} rotated elements of a head of {}; it must be an even number up to that",
                            reader.source().path(), name, dim, head_dim);
  }
  return dim;
}

/// As llama.cpp reads the keys.
RotarySpec gguf_yarn(const ConfigReader& reader, const Architecture& architecture, double theta, double factor,
                     std::vector<double> frequencies) {
  const auto number = [&](const char* key, double otherwise, double min, double max) {
    return reader.number({{key, otherwise}, {}}, min, max);
  };
  YarnScaling scaling{.factor = factor, .truncate = architecture.yarn_truncates};
  scaling.original_context = reader.number(architecture.keys.original_context, 0, kMaxContext);
  if (scaling.original_context == 0) {
    scaling.original_context = static_cast<double>(reader.integer(architecture.keys.max_position, 1, kMaxContext));
  }
  scaling.beta_fast = number("rope.scaling.yarn_beta_fast", 32, 1e-6, kMaxFactor);
  scaling.beta_slow = number("rope.scaling.yarn_beta_slow", 1, 1e-6, kMaxFactor);
  scaling.extrapolation = number("rope.scaling.yarn_ext_factor", 1, -1, kMaxFactor);
  if (scaling.extrapolation < 0) scaling.extrapolation = 1;  // "not set"
  double magnitude = scaling.extrapolation == 0 ? 1.0 : yarn_magnitude(factor);
  // A folder's mscale_all_dim, beside an mscale of 1.
  double all_dims = number("rope.scaling.yarn_log_multiplier", 0, 0, kMaxFactor);
  double of_scores = 1;
  if (is_latent(architecture)) {
    // Here files have a tenth of it, and for mscale the same is taken (llama.cpp of llama-cpp-python 0.3.36).
    all_dims *= 10;
    of_scores = yarn_magnitude(factor, all_dims);
    if (all_dims != 0) magnitude = 1;
  } else if (scaling.extrapolation != 0 && all_dims != 0) {
    magnitude /= yarn_magnitude(factor, all_dims);
  }
  return make_yarn(std::move(frequencies), theta, scaling,
                   magnitude * number("rope.scaling.attn_factor", 1, 1e-6, kMaxFactor), of_scores);
}

/// Divides them by what a weight holds, where there is one; says whether there is.
bool divide_by_factors(const format::WeightSource& source, std::string_view name, std::vector<double>& frequencies) {
  const format::WeightInfo* factors = source.find(name);
  if (factors == nullptr) return false;
  const auto count = static_cast<int64_t>(frequencies.size());
  if (factors->shape != std::vector<int64_t>{count}) {
    throw fail<FormatError>("{}: weight {} must have {} elements, one for each rotary frequency", factors->file, name,
                            count);
  }
  std::vector<float> values(frequencies.size());
  const MappedBytes data = source.map(*factors);
  kernels::dequantize_rows(factors->dtype, data.bytes().data(), 1, count, values.data());
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] > 0 && values[i] < kMaxFactor)) {
      throw fail<FormatError>("{}: {} holds {}; a factor must be above 0", factors->file, name, values[i]);
    }
    frequencies[i] /= values[i];
  }
  return true;
}

/// Of a model whose rotary embedding has one set of frequencies for short sequences and one for long ones.
RotarySpec make_longrope(std::span<const double> of_short, std::span<const double> of_long, double short_context,
                         double magnitude) {
  RotarySpec spec = make_spec(
      of_short, fmt::format("longrope, its long factors where sequences may have more than {:.0f} tokens, attention "
                            "factor {:.5g}",
                            short_context, magnitude));
  spec.long_inverse_freq.assign(of_long.begin(), of_long.end());
  spec.short_context = static_cast<int64_t>(short_context);
  spec.magnitude = static_cast<float>(magnitude);
  return spec;
}

/// An object of rotary parameters, {"rope_type": "llama3", "rope_theta": ..., "factor": ...}; older files say "type".
struct RotaryParameters {
  const nlohmann::json& values;
  std::string where;  // for messages
  Key theta_key;      // where the object has no rope_theta
  bool nested;        // one of several, by the layers' type
  bool truncate;      // YaRN's
};

class RotaryReader {
 public:
  /// dim: how much of a head is rotated, where the parameters do not say it (GGUF); 0: they do.
  RotaryReader(const ConfigReader& reader, const Architecture& architecture, int head_dim, int max_position,
               int dim = 0)
      : reader_(reader), architecture_(architecture), head_dim_(head_dim), max_position_(max_position), dim_(dim) {}

  RotarySpec read(const RotaryParameters& parameters) const {
    const nlohmann::json& values = parameters.values;
    const auto theta_inside = values.find("rope_theta");
    const double theta = theta_inside != values.end() && !theta_inside->is_null()
                             ? reader_.checked_number(*theta_inside, parameters.where + ".rope_theta", 1, kMaxTheta)
                             : reader_.number(parameters.theta_key, 1, kMaxTheta);
    const std::string type = type_of(values, parameters.where);
    std::vector<double> frequencies = rope_frequencies(theta, rotary_dim(parameters, type));
    if (type == "default") return make_spec(frequencies);
    if (type == "dynamic") return dynamic(frequencies);
    const auto number = [&](const char* key, double otherwise, double min, double max) {
      return reader_.number_in(values, parameters.where, key, otherwise, min, max);
    };
    const auto needed = [&](const char* key, double min) {
      const double value = number(key, 0, min, kMaxFactor);
      if (value != 0) return value;
      throw fail<FormatError>("{}: {}.{} is missing, and rotary scaling \"{}\" needs it", reader_.source().path(),
                              parameters.where, key, type);
    };
    if (type == "linear") {
      const double factor = needed("factor", 1e-3);
      for (double& frequency : frequencies) frequency /= factor;
      return make_spec(frequencies, fmt::format("linear, factor {:.4g}", factor));
    }
    if (type == "llama3") {
      Llama3Scaling scaling;
      scaling.factor = needed("factor", 1e-3);
      scaling.low_freq_factor = needed("low_freq_factor", 1e-3);
      scaling.high_freq_factor = needed("high_freq_factor", scaling.low_freq_factor);
      scaling.original_context = original_context(parameters);
      scale_llama3(frequencies, scaling);
      return make_spec(frequencies, fmt::format("llama3, factor {:.4g} over {:.0f} tokens", scaling.factor,
                                                scaling.original_context));
    }
    // Phi-3's folders called it "su" at first, then "yarn", as transformers still knows.
    const bool has_factors = values.contains("long_factor") && values.contains("short_factor");
    if (type == "longrope" || type == "su" || (type == "yarn" && has_factors)) return longrope(parameters, frequencies);
    if (type == "yarn") return yarn(parameters, theta, std::move(frequencies));
    throw fail<Unsupported>(
        "{}: rotary scaling \"{}\" is not supported; those there are: default, linear, dynamic, llama3, yarn, longrope",
        reader_.source().path(), type);
  }

  /// The rotary embedding of a base of the files', `own` or theta_key, with a scaling that was given.
  RotarySpec read_given(nlohmann::json given, const nlohmann::json& own, const Key& theta_key) const {
    for (const char* key : {"rope_theta", "partial_rotary_factor"}) {
      if (!given.contains(key) && own.contains(key)) given[key] = own[key];
    }
    const std::string where = "the given rope_scaling";
    try {
      const bool truncate = reader_.truth_in(given, where, "truncate").value_or(true);
      const RotaryParameters parameters{given, where, theta_key, /*nested=*/true, truncate};
      RotarySpec spec = read(parameters);
      spec.given = true;
      const std::string type = type_of(given, parameters.where);
      // Who gives a scaling says how far it is to reach; a file has that in its longest context.
      if (type == "linear" || type == "llama3") {
        spec.reach = original_context(parameters) * given["factor"].get<double>();
      }
      return spec;
    } catch (const FormatError& error) {
      throw InvalidArgument(error.what());
    }
  }

 private:
  std::string type_of(const nlohmann::json& values, const std::string& where) const {
    std::string type = "default";
    for (const char* key : {"type", "rope_type"}) {
      if (const std::string* said = reader_.text_in(values, where, key)) type = *said;
    }
    return type;
  }

  /// Classes that do not read partial_rotary_factor rotate whole heads, and transformers fails where one of them is
  /// given it beside a scaling.
  int rotary_dim(const RotaryParameters& parameters, const std::string& type) const {
    if (dim_ != 0) return dim_;
    const double outer =
        reader_.number({{}, {"partial_rotary_factor", architecture_.partial_rotary.value_or(1)}}, 0, 1);
    const double partial = reader_.number_in(parameters.values, parameters.where, "partial_rotary_factor", outer, 0, 1);
    const nlohmann::json* given = architecture_.partial_rotary && partial == 1 ? reader_.find("rotary_dim") : nullptr;
    if (given != nullptr && !given->is_null()) {
      const auto dim = static_cast<int>(reader_.checked_integer(*given, "rotary_dim", 2, head_dim_));
      return check_rotary_dim(reader_, dim, head_dim_, "rotary_dim");
    }
    const bool whole = partial == 1 || (!architecture_.partial_rotary && type == "default");
    if (!whole && !architecture_.partial_rotary) {
      throw fail<Unsupported>("{}: partial_rotary_factor is {} with rotary scaling \"{}\", which is not supported",
                              reader_.source().path(), partial, type);
    }
    return check_rotary_dim(reader_, whole ? head_dim_ : static_cast<int>(head_dim_ * partial), head_dim_,
                            whole ? "head_dim" : "partial_rotary_factor");
  }

  /// A config.json may have it beside the object, which then counts more.
  double original_context(const RotaryParameters& parameters) const {
    constexpr const char* kKey = "original_max_position_embeddings";
    const double beside = parameters.nested ? 0 : reader_.number(architecture_.keys.original_context, 1, kMaxContext);
    if (beside != 0) return beside;
    return reader_.number_in(parameters.values, parameters.where, kKey, max_position_, 1, kMaxContext);
  }

  /// It stretches with the length of a sequence beyond max_position_embeddings, up to which it is none: and that is as
  /// far as an engine goes.
  RotarySpec dynamic(std::span<const double> frequencies) const {
    return make_spec(frequencies, fmt::format("dynamic, which changes nothing up to {} tokens", max_position_));
  }

  RotarySpec yarn(const RotaryParameters& parameters, double theta, std::vector<double> frequencies) const {
    const auto number = [&](const char* key, double min, double max) {
      return reader_.number_in(parameters.values, parameters.where, key, 0, min, max);
    };
    YarnScaling scaling;
    scaling.original_context = original_context(parameters);
    scaling.factor = number("factor", 1e-3, kMaxFactor);
    if (scaling.factor == 0) scaling.factor = max_position_ / scaling.original_context;
    if (const double fast = number("beta_fast", 0, kMaxFactor); fast != 0) scaling.beta_fast = fast;
    if (const double slow = number("beta_slow", 0, kMaxFactor); slow != 0) scaling.beta_slow = slow;
    scaling.truncate = parameters.truncate;
    const double mscale = number("mscale", 0, kMaxFactor);
    const double mscale_all_dim = number("mscale_all_dim", 0, kMaxFactor);
    double magnitude = yarn_magnitude(scaling.factor);
    if (mscale != 0 && mscale_all_dim != 0) {
      magnitude = yarn_magnitude(scaling.factor, mscale) / yarn_magnitude(scaling.factor, mscale_all_dim);
    }
    magnitude = reader_.number_in(parameters.values, parameters.where, "attention_factor", magnitude, 0, kMaxFactor);
    const double of_scores = is_latent(architecture_) ? yarn_magnitude(scaling.factor, mscale_all_dim) : 1;
    return make_yarn(std::move(frequencies), theta, scaling, magnitude, of_scores);
  }

  /// One factor for each frequency, by which it is divided.
  std::vector<double> divided(const RotaryParameters& parameters, const char* key,
                              std::span<const double> frequencies) const {
    const std::string name = fmt::format("{}.{}", parameters.where, key);
    const auto factors = parameters.values.find(key);
    if (factors == parameters.values.end() || !factors->is_array() || factors->size() != frequencies.size()) {
      throw fail<FormatError>("{}: {} must be a list of {} numbers, one for each rotary frequency",
                              reader_.source().path(), name, frequencies.size());
    }
    std::vector<double> result(frequencies.begin(), frequencies.end());
    for (size_t i = 0; i < result.size(); ++i) {
      result[i] /= reader_.checked_number((*factors)[i], fmt::format("{}[{}]", name, i), 1e-6, kMaxFactor);
    }
    return result;
  }

  /// LongRoPE (Ding et al. 2024). transformers chooses the factors by the longest sequence of each batch, and reads a
  /// prompt again when it grows beyond; llama.cpp and vLLM choose once, by the longest there may be, and so does this.
  RotarySpec longrope(const RotaryParameters& parameters, std::span<const double> frequencies) const {
    const auto number = [&](const char* key, double otherwise) {
      return reader_.number_in(parameters.values, parameters.where, key, otherwise, 1e-6, kMaxFactor);
    };
    const double original = original_context(parameters);
    const double magnitude = longrope_magnitude(number("factor", max_position_ / original), original);
    return make_longrope(divided(parameters, "short_factor", frequencies),
                         divided(parameters, "long_factor", frequencies), original,
                         number("attention_factor", magnitude));
  }

  const ConfigReader& reader_;
  const Architecture& architecture_;
  int head_dim_;
  int max_position_;
  int dim_;
};

/// Scalings that were given in place of the files', by the layers' type.
struct GivenScaling {
  std::optional<nlohmann::json> full = {};
  std::optional<nlohmann::json> sliding = {};
};

/// One object of parameters: what a typing error would leave out in silence is refused.
nlohmann::json checked_scaling(const nlohmann::json& given) {
  if (!given.is_object()) throw fail<InvalidArgument>("rope_scaling: {} is no object", ConfigReader::shown(given));
  for (const auto& [key, value] : given.items()) {
    if (std::ranges::find(kScalingKeys, key) == std::end(kScalingKeys)) {
      throw fail<InvalidArgument>("rope_scaling: unknown parameter {}", ConfigReader::shown(key));
    }
  }
  const auto type = given.contains("rope_type") ? given.find("rope_type") : given.find("type");
  if (type == given.end() || !type->is_string()) {
    throw InvalidArgument("rope_scaling: it needs a rope_type: none, linear, dynamic, llama3 or yarn");
  }
  nlohmann::json scaling = given;
  if (*type == "none") scaling["rope_type"] = "default";
  if (*type == "llama3") {
    scaling.emplace("low_freq_factor", 1.0);
    scaling.emplace("high_freq_factor", 4.0);
  }
  const bool needs_factor = *type == "linear" || *type == "llama3" || *type == "yarn";
  if (needs_factor && (!given.contains("factor") || !given["factor"].is_number())) {
    throw fail<InvalidArgument>("rope_scaling: {} needs a factor", type->get<std::string>());
  }
  return scaling;
}

GivenScaling parse_given(const std::string& text, bool has_local) {
  if (text.empty()) return {};
  if (text == "none") return {.full = nlohmann::json::object({{"rope_type", "default"}})};
  const nlohmann::json given = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!given.is_object()) {
    throw InvalidArgument(
        R"(rope_scaling: give none, or an object in JSON, such as {"rope_type": "yarn", "factor": 4.0})");
  }
  if (!given.contains("full_attention") && !given.contains("sliding_attention")) return {checked_scaling(given), {}};
  GivenScaling scaling;
  for (const auto& [key, value] : given.items()) {
    if (key == "full_attention") {
      scaling.full = checked_scaling(value);
    } else if (key == "sliding_attention" && has_local) {
      scaling.sliding = checked_scaling(value);
    } else if (key == "sliding_attention") {
      throw InvalidArgument("rope_scaling: the model has no rotary embedding of its own for layers with a window");
    } else {
      throw fail<InvalidArgument>("rope_scaling: {} is no type of layer", ConfigReader::shown(key));
    }
  }
  return scaling;
}

/// of_long: divided by their factors already.
RotarySpec gguf_longrope(const ConfigReader& reader, const Architecture& architecture, std::vector<double> of_short,
                         std::span<const double> of_long) {
  if (!divide_by_factors(reader.source(), "rope_factors_short.weight", of_short)) {
    throw fail<FormatError>("{}: weight rope_factors_short.weight is missing, and rope_factors_long.weight is there",
                            reader.source().path());
  }
  double original = reader.number(architecture.keys.original_context, 0, kMaxContext);
  if (original == 0) original = reader.number(architecture.keys.max_position, 1, kMaxContext);
  return make_longrope(of_short, of_long, original,
                       reader.number({{"rope.scaling.attn_factor", 1}, {}}, 1e-6, kMaxFactor));
}

/// The layers' own rotary embedding, with the scaling of the file's keys.
RotarySpec gguf_own(const ConfigReader& reader, const Architecture& architecture, int dim) {
  const format::WeightSource& source = reader.source();
  std::string type = "linear";  // with no type a factor alone is linear
  if (const std::string* said = reader.text("rope.scaling.type")) type = *said;
  if (type != "linear" && type != "none" && type != "yarn" && type != "longrope") {
    throw fail<Unsupported>(
        "{}: rotary scaling \"{}\" is not supported; those there are: none, linear, yarn, llama3, longrope",
        source.path(), type);
  }
  double factor = reader.number({{"rope.scaling.factor", 0}, {}}, 0, kMaxFactor);
  if (factor == 0) factor = reader.number({{"rope.scale_linear", 0}, {}}, 0, kMaxFactor);
  if (factor == 0 || type == "none") factor = 1;

  const double theta = reader.number(architecture.keys.rope_theta, 1, kMaxTheta);
  std::vector<double> frequencies = rope_frequencies(theta, dim);
  std::vector<double> of_long = frequencies;
  const bool divided = divide_by_factors(source, "rope_freqs.weight", frequencies);
  RotarySpec spec;
  // The type is not what tells llama.cpp, and converters did not always write it.
  if (divide_by_factors(source, "rope_factors_long.weight", of_long)) {
    return gguf_longrope(reader, architecture, frequencies, of_long);
  }
  if (type == "longrope") {
    throw fail<FormatError>("{}: rotary scaling is longrope, and weight rope_factors_long.weight is missing",
                            source.path());
  }
  if (type == "yarn") {
    spec = gguf_yarn(reader, architecture, theta, factor, std::move(frequencies));
  } else {
    for (double& frequency : frequencies) frequency /= factor;
    spec = make_spec(frequencies, factor == 1 ? "none" : fmt::format("linear, factor {:.4g}", factor));
  }
  if (divided)
    spec.scaling = (spec.scaling == "none" ? "" : spec.scaling + ", ") + "by the factors of rope_freqs.weight";
  return spec;
}

/// Stands among the rotary parameters, and is no part of a scaling: one that is given changes nothing of it.
void read_query_growth(const ConfigReader& reader, const Architecture& architecture, const nlohmann::json& parameters,
                       const std::string& where, int max_position, RotarySpec& spec) {
  constexpr double kMostGrowth = 1e3;
  const Key& key = architecture.keys.query_growth;
  if (spelled(key, reader.convention()).key.empty()) return;
  double growth = 0, interval = 0;
  if (reader.convention() == format::Convention::kGguf) {
    growth = reader.number(key, 0, kMostGrowth);
    interval = reader.number(architecture.keys.original_context, 0, kMaxPosition);
  } else {
    growth = reader.number_in(parameters, where, std::string(key.hugging_face.key).c_str(), 0, 0, kMostGrowth);
    interval = reader.number_in(parameters, where, "original_max_position_embeddings", 0, 1, kMaxPosition);
  }
  if (growth == 0) return;
  spec.query_growth = static_cast<float>(growth);
  spec.query_interval = interval == 0 ? max_position : static_cast<int32_t>(interval);
  spec.scaling +=
      fmt::format(", queries that grow by {:.4g} ln(1 + floor(position / {}))", growth, spec.query_interval);
}

std::vector<RotarySpec> read_gguf(const ConfigReader& reader, const Architecture& architecture, int head_dim,
                                  int max_position, const GivenScaling& given) {
  static const nlohmann::json kNothing = nlohmann::json::object();
  const int count = static_cast<int>(reader.integer({{"rope.dimension_count", head_dim}, {}}, 2, head_dim));
  const int dim = check_rotary_dim(reader, count, head_dim, reader.full_key("rope.dimension_count"));
  const ConfigKeys& keys = architecture.keys;
  const RotaryReader rotary(reader, architecture, head_dim, max_position, dim);
  std::vector<RotarySpec> specs;
  specs.push_back(given.full ? rotary.read_given(*given.full, kNothing, keys.rope_theta)
                             : gguf_own(reader, architecture, dim));
  read_query_growth(reader, architecture, kNothing, "", max_position, specs.back());
  if (keys.local_rope_theta.gguf.key.empty()) return specs;
  specs.push_back(given.sliding ? rotary.read_given(*given.sliding, kNothing, keys.local_rope_theta)
                                : make_spec(rope_frequencies(reader.number(keys.local_rope_theta, 1, kMaxTheta), dim)));
  return specs;
}

/// Of a folder that says nothing of its rotary embedding: what its class then takes.
nlohmann::json default_parameters(const ConfigReader& reader, const Architecture& architecture) {
  for (const std::string_view key : {"rope_scaling", "rope_parameters", "rope_theta"}) {
    if (reader.find(key) != nullptr) return nlohmann::json::object();
  }
  // A class around it may hold text models of another type.
  const std::string* type = reader.text("model_type");
  const bool other = type != nullptr && *type != architecture.hugging_face_types[0];
  return architecture.default_rotary.empty() || other ? nlohmann::json::object()
                                                      : nlohmann::json::parse(architecture.default_rotary);
}

/// Of a family with one rotary embedding, where two of these may be told of: transformers 5.24 takes the flat one,
/// whose frequencies are then no layer's type's.
void refuse_flat_beside_nested(const ConfigReader& reader, const Architecture& architecture,
                               const nlohmann::json& parameters, const std::string& where) {
  for (const char* flat : {"rope_theta", "rope_type", "type"}) {
    if (!parameters.contains(flat) || parameters[flat].is_null()) continue;
    for (const char* of_layers : kLayerTypes) {
      if (!parameters.contains(of_layers)) continue;
      throw fail<FormatError>(
          "{}: {} has {} and {}, and a {} has one rotary embedding, which one of them says: the other must go",
          reader.source().path(), where, flat, of_layers, architecture.name);
    }
  }
}

std::vector<RotarySpec> read_hugging_face(const ConfigReader& reader, const Architecture& architecture, int head_dim,
                                          int max_position, const GivenScaling& given) {
  static const nlohmann::json kNothing = nlohmann::json::object();
  // Before transformers 5: rope_theta beside rope_scaling. Since then: rope_parameters, one for each type of
  // layer where they differ. Where both are there, rope_scaling wins.
  const auto unless_empty = [](const nlohmann::json* object) {
    return object != nullptr && !object->empty() ? object : nullptr;
  };
  std::string where;
  const nlohmann::json* parameters = nullptr;
  for (const char* key : kRotaryObjects) {
    if (parameters != nullptr) break;
    where = key;
    parameters = unless_empty(reader.object(where));
  }
  const nlohmann::json of_class = default_parameters(reader, architecture);
  if (parameters == nullptr) parameters = &of_class;

  const nlohmann::json* full = unless_empty(reader.object_in(*parameters, where, "full_attention"));
  const nlohmann::json* sliding = unless_empty(reader.object_in(*parameters, where, "sliding_attention"));
  const bool by_type = full != nullptr || sliding != nullptr;
  if (full == nullptr) full = by_type ? &kNothing : parameters;
  if (sliding == nullptr) sliding = &kNothing;

  const ConfigKeys& keys = architecture.keys;
  const bool has_local = !keys.local_rope_theta.hugging_face.key.empty();
  if (by_type && !has_local) refuse_flat_beside_nested(reader, architecture, *parameters, where);
  const bool nested = by_type || has_local;
  // transformers looks for it in the outermost object alone.
  const bool truncated = (nested && !by_type) || reader.truth_in(*parameters, where, "truncate").value_or(true);
  const RotaryReader rotary(reader, architecture, head_dim, max_position);
  std::vector<RotarySpec> specs;
  specs.push_back(given.full ? rotary.read_given(*given.full, *full, keys.rope_theta)
                             : rotary.read({*full, by_type ? where + ".full_attention" : where, keys.rope_theta, nested,
                                            truncated}));
  read_query_growth(reader, architecture, *full, by_type ? where + ".full_attention" : where, max_position,
                    specs.back());
  if (!has_local) return specs;
  specs.push_back(given.sliding ? rotary.read_given(*given.sliding, *sliding, keys.local_rope_theta)
                                : rotary.read({*sliding, where + ".sliding_attention", keys.local_rope_theta,
                                               /*nested=*/true, truncated}));
  return specs;
}

}  // namespace

std::vector<RotarySpec> read_rotary(const ConfigReader& reader, const Architecture& architecture, int head_dim,
                                    int max_position, const std::string& scaling) {
  const bool gguf = reader.convention() == format::Convention::kGguf;
  const bool has_local = !spelled(architecture.keys.local_rope_theta, reader.convention()).key.empty();
  const GivenScaling given = parse_given(scaling, has_local);
  return gguf ? read_gguf(reader, architecture, head_dim, max_position, given)
              : read_hugging_face(reader, architecture, head_dim, max_position, given);
}

std::vector<Decision> unread_rotary_keys(const ConfigReader& reader, const Architecture& architecture) {
  std::vector<std::string_view> known(std::begin(kScalingKeys), std::end(kScalingKeys));
  known.insert(known.end(), {"partial_rotary_factor", "short_factor", "long_factor"});
  if (const std::string_view growth = architecture.keys.query_growth.hugging_face.key; !growth.empty()) {
    known.push_back(growth);
  }
  std::vector<Decision> decisions;
  const auto look = [&](const nlohmann::json& object, const std::string& where) {
    for (const auto& [key, value] : object.items()) {
      const bool of_layers = value.is_object() && std::ranges::find(kLayerTypes, key) != std::end(kLayerTypes);
      if (of_layers || std::ranges::find(known, key) != known.end()) continue;
      decisions.push_back({fmt::format("{}.{}", where, key), "ignored: " + ConfigReader::shown(value),
                           "transformers computes nothing with it"});
    }
  };
  for (const char* where : kRotaryObjects) {
    const nlohmann::json* parameters = reader.object(where);
    if (parameters == nullptr || parameters->empty()) continue;
    look(*parameters, where);
    for (const char* type : kLayerTypes) {
      const nlohmann::json* of_type = reader.object_in(*parameters, where, type);
      if (of_type != nullptr) look(*of_type, fmt::format("{}.{}", where, type));
    }
    break;
  }
  return decisions;
}

}  // namespace caravel::model
