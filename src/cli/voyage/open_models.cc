#include "cli/voyage/open_models.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/log.h"
#include "cli/open_engine.h"
#include "voyager/endpoint_model.h"
#include "voyager/engine_model.h"

namespace caravel::cli {
namespace {

constexpr const char* kSpareEmbedder = "smollm2";
constexpr int kEngineAnswer = 1024;  // tokens of an answer of an engine of this process
constexpr int kRepetition = 256;     // SamplingParams::repetition_window of it

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(1e3 * seconds));
}

voyager::EndpointConfig endpoint_config(const std::string& llm, const ModelFlags& flags) {
  voyager::EndpointConfig config;
  config.url = http::parse_url(llm);
  config.api_key = flags.api_key();
  config.silence = milliseconds(flags.silence);
  config.whole = milliseconds(flags.timeout);
  config.patience.attempts = flags.retries + 1;
  return config;
}

/// A key that anyone on the way can read.
void warn_of_open_keys(const ModelSettings& settings, const ModelFlags& flags) {
  if (flags.api_key().empty()) return;
  const auto is_open = [](const ModelChoice& choice) {
    if (choice.llm.empty()) return false;
    const http::Url url = http::parse_url(choice.llm);
    const bool is_here = url.host == "localhost" || url.host == "::1" || url.host.starts_with("127.");
    return !url.tls && !is_here;
  };
  for (const ModelChoice* const choice :
       {&settings.curriculum, &settings.action, &settings.critic, &settings.embedder.model}) {
    if (!is_open(*choice)) continue;
    log::warn("{}: the key goes there unencrypted; https keeps it", choice->llm);
    return;
  }
}

/// Before there is a view: each wait is told at once.
std::function<void(const std::string&)> tells_of(const std::string& llm) {
  return [llm](const std::string& note) { log::warn("{}: {}", llm, note); };
}

/// Where an endpoint's model has no name, that of its first.
void name_model(ModelChoice& choice, const ModelFlags& flags) {
  if (choice.llm.empty() || !choice.model.empty()) return;
  choice.model = voyager::Endpoint(endpoint_config(choice.llm, flags)).served_model(tells_of(choice.llm));
}

/// Of a context that prompt and answer share; a token of prompts has three bytes or more.
int64_t bytes_for(int64_t context, int answer) {
  constexpr int64_t kBytesPerToken = 3;
  return kBytesPerToken * std::max<int64_t>(context - answer, context / 2);
}

}  // namespace

OpenModels::OpenModels(ModelSettings& settings, const ModelFlags& flags) {
  warn_of_open_keys(settings, flags);
  for (ModelChoice* const choice :
       {&settings.curriculum, &settings.action, &settings.critic, &settings.embedder.model}) {
    name_model(*choice, flags);
  }
  models_.curriculum = open_chat(settings.curriculum, settings, flags);
  models_.action = open_chat(settings.action, settings, flags);
  models_.critic = open_chat(settings.critic, settings, flags);
  open_embedder(settings.embedder, flags);
  models_.embedder = embedder_.get();
  for (const Chat& chat : chats_) {
    const int64_t context = chat.choice.llm.empty() ? chat.model->context_tokens() : settings.context;
    if (context == 0) continue;
    const int64_t bytes = bytes_for(context, settings.max_tokens.value_or(kEngineAnswer));
    prompt_bytes_ = prompt_bytes_ == 0 ? bytes : std::min(prompt_bytes_, bytes);
  }
}

voyager::ChatModel* OpenModels::open_chat(const ModelChoice& choice, const ModelSettings& settings,
                                          const ModelFlags& flags) {
  const auto opened = std::ranges::find(chats_, choice, &Chat::choice);
  if (opened != chats_.end()) return opened->model.get();
  Chat chat{.choice = choice};
  const bool draws = settings.temperature > 0;
  if (choice.llm.empty()) {
    EngineConfig config = flags.engine;
    config.model = choice.model;
    if (engine_ == nullptr) engine_ = open_engine(config);
    SamplingParams sampling{.max_tokens = settings.max_tokens.value_or(kEngineAnswer),
                            .temperature = settings.temperature,
                            .repetition_window = kRepetition};
    if (draws) sampling.seed = settings.seed;
    chat.model = voyager::make_engine_model(*engine_, {.sampling = sampling, .prices = settings.prices});
  } else {
    voyager::EndpointModelConfig config;
    config.endpoint = endpoint_config(choice.llm, flags);
    config.model = choice.model;
    config.temperature = settings.temperature;
    config.max_tokens = settings.max_tokens;
    config.extra_body = settings.extra_body;
    config.prices = settings.prices;
    if (draws) config.seed = settings.seed;
    chat.model = voyager::make_endpoint_model(config);
  }
  chats_.push_back(std::move(chat));
  return chats_.back().model.get();
}

void OpenModels::open_embedder(EmbedderChoice& choice, const ModelFlags& flags) {
  if (choice.kind == EmbedderChoice::Kind::kEndpoint) {
    const voyager::EndpointConfig config = endpoint_config(choice.model.llm, flags);
    embedder_ = voyager::make_endpoint_embedder(config, choice.model.model);
    if (!choice.is_tried) return;
    try {
      voyager::make_endpoint_embedder(config, choice.model.model, tells_of(choice.model.llm))->embed("wood");
      return;
    } catch (const voyager::ModelError& error) {
      // Many endpoints only chat. The states of a small model find skills too.
      if (!is_fetched(kSpareEmbedder)) {
        throw fail<voyager::ModelError>(
            "{}; where an endpoint embeds nothing, scripts/fetch_model minilm brings a model of this process that does",
            error.what());
      }
    }
    choice = {EmbedderChoice::Kind::kEncoder, {.llm = "", .model = kSpareEmbedder}};
  }
  if (choice.kind == EmbedderChoice::Kind::kEncoder) {
    encoder_ = open_engine({.model = choice.model.model, .threads = flags.engine.threads});
  }
  embedder_ = voyager::make_engine_embedder(encoder_ != nullptr ? *encoder_ : *engine_);
}

}  // namespace caravel::cli
