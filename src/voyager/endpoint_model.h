#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "voyager/endpoint.h"
#include "voyager/model.h"

namespace caravel::voyager {

/// Which of a server's models, and how it answers.
struct EndpointModelConfig {
  EndpointConfig endpoint;
  std::string model;
  std::optional<float> temperature = {};
  std::optional<int> max_tokens = {};
  std::optional<uint64_t> seed = {};
  Json extra_body = Json::object();  // fields that go into every body
  Prices prices;
};

/// A model behind /v1/chat/completions, whose answers are streamed. A field that the server refuses (400, 422 or 501
/// that names it: response_format of a schema, stream_options, temperature, seed, max_tokens) is left out from then on,
/// unless `extra_body` has it. An answer that fails, is garbage, breaks off or falls silent is asked for again, by the
/// endpoint's patience.
std::unique_ptr<ChatModel> make_endpoint_model(const EndpointModelConfig& config);

/// A model behind /v1/embeddings, likewise. on_wait: as Endpoint::persist() has it.
std::unique_ptr<Embedder> make_endpoint_embedder(const EndpointConfig& endpoint, const std::string& model,
                                                 const std::function<void(const std::string&)>& on_wait = {});

}  // namespace caravel::voyager
