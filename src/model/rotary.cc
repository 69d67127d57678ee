#include "model/rotary.h"

#include <cmath>
#include <numbers>
#include <span>

#include "base/error.h"
#include "kernels/gemm.h"

namespace caravel::model {
namespace {

constexpr double kMaxTheta = 1e12;
constexpr double kMaxFactor = 1e6;

std::vector<double> unscaled_frequencies(double theta, int dim) {
  std::vector<double> frequencies(static_cast<size_t>(dim / 2));
  for (size_t i = 0; i < frequencies.size(); ++i) {
    frequencies[i] = std::pow(theta, -2.0 * static_cast<double>(i) / dim);
  }
  return frequencies;
}

RotarySpec make_spec(std::span<const double> frequencies) {
  RotarySpec spec;
  spec.dim = static_cast<int>(frequencies.size() * 2);
  spec.inverse_freq.assign(frequencies.begin(), frequencies.end());
  return spec;
}

/// Llama 3.1: wavelengths beyond the original context are stretched by `factor`, short ones stay, those between blend.
void scale_llama3(std::span<double> frequencies, double factor, double low, double high, double original_context) {
  for (double& frequency : frequencies) {
    const double turns = original_context * frequency / (2 * std::numbers::pi);  // within the original context
    if (turns < low) {
      frequency /= factor;
    } else if (turns < high) {
      const double smooth = (turns - low) / (high - low);
      frequency = (1 - smooth) * frequency / factor + smooth * frequency;
    }
  }
}

int check_rotary_dim(const ConfigReader& reader, int dim, int head_dim, std::string_view name) {
  if (dim < 2 || dim > head_dim || dim % 2 != 0) {
    throw fail<FormatError>("{}: {} makes {} rotated elements of a head of {}; it must be an even number up to that",
                            reader.source().path(), name, dim, head_dim);
  }
  return dim;
}

std::vector<RotarySpec> read_gguf(const ConfigReader& reader, const Architecture& architecture, int head_dim) {
  const format::WeightSource& source = reader.source();
  const int given = static_cast<int>(reader.integer({{"rope.dimension_count", head_dim}, {}}, 2, head_dim));
  const int dim = check_rotary_dim(reader, given, head_dim, reader.full_key("rope.dimension_count"));

  std::string type = "linear";  // with no type a factor alone is linear
  if (const nlohmann::json* value = reader.find("rope.scaling.type"); value != nullptr && value->is_string()) {
    type = value->get<std::string>();
  }
  if (type != "linear" && type != "none") {
    throw fail<Unsupported>("{}: rotary scaling \"{}\" is not supported; those there are: none, linear, llama3",
                            source.path(), type);
  }
  double factor = reader.number({{"rope.scaling.factor", 0}, {}}, 0, kMaxFactor);
  if (factor == 0) factor = reader.number({{"rope.scale_linear", 0}, {}}, 0, kMaxFactor);
  if (factor == 0 || type == "none") factor = 1;

  std::vector<double> frequencies =
      unscaled_frequencies(reader.number(architecture.keys.rope_theta, 1, kMaxTheta), dim);
  for (double& frequency : frequencies) frequency /= factor;
  if (const format::WeightInfo* factors = source.find("rope_freqs.weight")) {
    if (factors->shape != std::vector<int64_t>{dim / 2}) {
      throw fail<FormatError>("{}: weight rope_freqs.weight must have {} elements, one for each rotary frequency",
                              factors->file, dim / 2);
    }
    std::vector<float> values(frequencies.size());
    kernels::dequantize_rows(factors->dtype, factors->data.data(), 1, dim / 2, values.data());
    for (size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] > 0 && values[i] < kMaxFactor)) {
        throw fail<FormatError>("{}: rope_freqs.weight holds {}; a factor must be above 0", factors->file, values[i]);
      }
      frequencies[i] /= values[i];
    }
  }
  std::vector<RotarySpec> specs{make_spec(frequencies)};
  if (!architecture.keys.local_rope_theta.gguf.key.empty()) {
    const double theta = reader.number(architecture.keys.local_rope_theta, 1, kMaxTheta);
    specs.push_back(make_spec(unscaled_frequencies(theta, dim)));
  }
  return specs;
}

/// `parameters`: {"rope_type": "llama3", "rope_theta": ..., "factor": ...}; older files say "type".
RotarySpec read_parameters(const ConfigReader& reader, const nlohmann::json& parameters, std::string_view where,
                           const Key& theta_key, int head_dim, int max_position) {
  const auto theta_inside = parameters.find("rope_theta");
  const double theta = theta_inside != parameters.end() && !theta_inside->is_null()
                           ? reader.checked_number(*theta_inside, fmt::format("{}.rope_theta", where), 1, kMaxTheta)
                           : reader.number(theta_key, 1, kMaxTheta);

  const double outer_partial = reader.number({{}, {"partial_rotary_factor", 1}}, 0, 1);
  const double partial = reader.number_in(parameters, where, "partial_rotary_factor", outer_partial, 0, 1);
  const int dim = check_rotary_dim(reader, static_cast<int>(head_dim * partial), head_dim,
                                   partial == 1 ? "head_dim" : "partial_rotary_factor");

  std::string type = "default";
  for (const char* key : {"type", "rope_type"}) {
    const auto found = parameters.find(key);
    if (found != parameters.end() && found->is_string()) type = found->get<std::string>();
  }
  std::vector<double> frequencies = unscaled_frequencies(theta, dim);
  if (type == "linear") {
    const double factor = reader.number_in(parameters, where, "factor", 1, 1e-3, kMaxFactor);
    for (double& frequency : frequencies) frequency /= factor;
  } else if (type == "llama3") {
    const double factor = reader.number_in(parameters, where, "factor", 8, 1e-3, kMaxFactor);
    const double low = reader.number_in(parameters, where, "low_freq_factor", 1, 1e-3, kMaxFactor);
    const double high = reader.number_in(parameters, where, "high_freq_factor", 4, low, kMaxFactor);
    const double original =
        reader.number_in(parameters, where, "original_max_position_embeddings", max_position, 1, 1e9);
    scale_llama3(frequencies, factor, low, high, original);
  } else if (type != "default") {
    throw fail<Unsupported>("{}: rotary scaling \"{}\" is not supported; those there are: default, linear, llama3",
                            reader.source().path(), type);
  }
  return make_spec(frequencies);
}

std::vector<RotarySpec> read_hugging_face(const ConfigReader& reader, const Architecture& architecture, int head_dim,
                                          int max_position) {
  static const nlohmann::json kNothing = nlohmann::json::object();
  // Before transformers 5: rope_theta beside rope_scaling. Since then: rope_parameters, one for each type of
  // layer where they differ. Where both are there, rope_scaling wins.
  const auto object_at = [](const nlohmann::json& in, std::string_view key) -> const nlohmann::json* {
    const auto found = in.find(key);
    return found != in.end() && found->is_object() && !found->empty() ? &*found : nullptr;
  };
  const nlohmann::json& config = reader.source().config();
  std::string where = "rope_scaling";
  const nlohmann::json* parameters = object_at(config, where);
  if (parameters == nullptr) {
    where = "rope_parameters";
    parameters = object_at(config, where);
  }
  if (parameters == nullptr) parameters = &kNothing;

  const nlohmann::json* full = object_at(*parameters, "full_attention");
  const nlohmann::json* sliding = object_at(*parameters, "sliding_attention");
  const bool by_type = full != nullptr || sliding != nullptr;
  if (full == nullptr) full = by_type ? &kNothing : parameters;
  if (sliding == nullptr) sliding = &kNothing;

  const ConfigKeys& keys = architecture.keys;
  std::vector<RotarySpec> specs;
  specs.push_back(read_parameters(reader, *full, by_type ? where + ".full_attention" : where, keys.rope_theta, head_dim,
                                  max_position));
  if (!keys.local_rope_theta.hugging_face.key.empty()) {
    specs.push_back(
        read_parameters(reader, *sliding, where + ".sliding_attention", keys.local_rope_theta, head_dim, max_position));
  }
  return specs;
}

}  // namespace

std::vector<RotarySpec> read_rotary(const ConfigReader& reader, const Architecture& architecture, int head_dim,
                                    int max_position) {
  return reader.convention() == format::Convention::kGguf
             ? read_gguf(reader, architecture, head_dim)
             : read_hugging_face(reader, architecture, head_dim, max_position);
}

}  // namespace caravel::model
