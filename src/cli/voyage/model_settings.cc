#include "cli/voyage/model_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/numbers.h"
#include "cli/flags.h"
#include "cli/usage.h"
#include "format/model_path.h"

namespace caravel::cli {
namespace {

constexpr const char* kMiniLm = "minilm";

/// Half of it is the prompt's, and the shortest that asks for code has 2.9 to 3.7 KB, at three bytes or more a token.
constexpr int64_t kLeastContext = 2048;

constexpr std::array<const char*, 3> kEmbedderKinds = {"encoder", "engine", "endpoint"};

voyager::Prices parse_prices(const std::string& text) {
  if (text.empty()) return {};
  const size_t comma = std::min(text.find(','), text.size());
  const auto input = parse_number<double>(std::string_view(text).substr(0, comma));
  const auto output = parse_number<double>(std::string_view(text).substr(std::min(comma + 1, text.size())));
  if (!input || !output || !(*input >= 0 && *input < 1e9) || !(*output >= 0 && *output < 1e9)) {
    throw fail<UsageError>("--price {}: give what a million tokens cost, of prompts and of answers, as in 0.15,0.60",
                           text);
  }
  return {.input = *input, .output = *output};
}

std::string_view without_line_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool is_fetched(const std::string& model) {
  try {
    format::resolve_model(model);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool ModelSettings::needs_engine() const {
  return curriculum.llm.empty() || action.llm.empty() || critic.llm.empty() ||
         embedder.kind == EmbedderChoice::Kind::kEngine;
}

bool ModelSettings::uses_default_model() const {
  const ModelChoice none;
  return curriculum == none || action == none || critic == none;
}

Json to_json(const ModelSettings& settings) {
  Json embedder = to_json(settings.embedder.model);
  embedder["kind"] = kEmbedderKinds[static_cast<size_t>(settings.embedder.kind)];
  return {{"curriculum", to_json(settings.curriculum)},
          {"action", to_json(settings.action)},
          {"critic", to_json(settings.critic)},
          {"embedder", embedder},
          {"temperature", as_written(settings.temperature)},
          {"seed", settings.seed},
          {"max_tokens", settings.max_tokens ? Json(*settings.max_tokens) : Json()},
          {"context", settings.context},
          {"extra_body", settings.extra_body},
          {"price", {settings.prices.input, settings.prices.output}}};
}

ModelSettings model_settings_from(const Json& json) {
  try {
    ModelSettings settings;
    settings.curriculum = model_choice_from(json.at("curriculum"));
    settings.action = model_choice_from(json.at("action"));
    settings.critic = model_choice_from(json.at("critic"));
    const Json& embedder = json.at("embedder");
    settings.embedder.model = model_choice_from(embedder);
    const auto kind = std::ranges::find(kEmbedderKinds, embedder.at("kind").get<std::string>());
    if (kind == kEmbedderKinds.end()) throw FormatError("what embeds the run's texts is of no kind that is known");
    settings.embedder.kind = static_cast<EmbedderChoice::Kind>(kind - kEmbedderKinds.begin());
    settings.temperature = json.at("temperature").get<float>();
    settings.seed = json.at("seed").get<uint64_t>();
    if (!json.at("max_tokens").is_null()) settings.max_tokens = json.at("max_tokens").get<int>();
    settings.context = json.at("context").get<int64_t>();
    settings.extra_body = json.at("extra_body");
    settings.prices = {.input = json.at("price").at(0).get<double>(), .output = json.at("price").at(1).get<double>()};
    return settings;
  } catch (const Json::exception& error) {
    throw fail<FormatError>("the models that the run was begun with cannot be read: {}", error.what());
  }
}

void ModelFlags::add_to(CLI::App& command) {
  const char* const group = "Models";
  const auto add = [&](const char* name, auto& value, const char* help) {
    return command.add_option(name, value, help)->group(group);
  };
  const char* const another = "what --llm says";
  add("--llm", llm_, "An OpenAI-compatible endpoint that answers in place of MODEL: http://HOST:PORT/v1, or https")
      ->default_str("none: MODEL, in this process")
      ->check(not_empty());
  add("--llm-model", llm_model_, "The model's name there")
      ->default_str("the first of its /v1/models")
      ->check(not_empty());
  add("--curriculum-llm", curriculum_, "URL or URL#NAME: who proposes tasks, and asks and answers questions")
      ->default_str(another)
      ->check(not_empty());
  add("--action-llm", action_, "The same of who writes code and describes it")
      ->default_str(another)
      ->check(not_empty());
  add("--critic-llm", critic_, "And of who judges whether a task was done")->default_str(another)->check(not_empty());
  auto* key = add("--llm-api-key", api_key_, "The key that endpoints are shown")
                  ->default_str("OPENAI_API_KEY of the environment")
                  ->check(not_empty());
  add("--llm-api-key-file", api_key_file_, "A file with the key")->check(not_empty())->excludes(key);
  add("--llm-timeout", timeout, "Seconds that one answer may take, before it is asked for again")
      ->check(timeout_seconds());
  add("--llm-silence", silence, "Seconds in which nothing of it comes, before it is asked for again")
      ->check(timeout_seconds());
  add("--llm-retries", retries, "How often it is asked for again before the run stops, to be gone on with --resume")
      ->transform(whole_number(0, 1000));
  add("--llm-context", context_, "Tokens that the served model takes, prompt and answer: prompts are made to fit")
      ->transform(whole_number(kLeastContext, int64_t{1} << 30))
      ->default_str("no bound");
  add("--llm-extra-body", extra_body_, "Fields that go into every request, as a JSON object")->type_name("JSON");
  add("--embedder", embedder_,
      "What finds skills by their descriptions: minilm or another model of this process; model, the states of MODEL; "
      "endpoint or endpoint#NAME, the embeddings of --llm; auto: minilm where it was fetched, else MODEL or the "
      "endpoint, whichever chats, or smollm2 where that embeds nothing")
      ->check(not_empty());
  add("--temperature", temperature_, "How freely answers are drawn; the paper has 0")
      ->check(number_in({.low = 0, .high = 10}));
  add("--max-tokens", max_tokens_, "Tokens of one answer")
      ->transform(whole_number(1, 1 << 30))
      ->default_str("1024 of MODEL, an endpoint's own bound");
  add("--price", price_, "What a million tokens cost, of prompts and of answers: 0.15,0.60")->default_str("0,0");
  add_engine_flags(command, engine);
}

bool ModelFlags::names_models() const {
  return !llm_.empty() || !llm_model_.empty() || !curriculum_.empty() || !action_.empty() || !critic_.empty() ||
         !engine.model.empty();
}

ModelSettings ModelFlags::settings(uint64_t seed) const {
  ModelSettings settings;
  settings.temperature = temperature_;
  settings.seed = seed;
  settings.max_tokens = max_tokens_;
  settings.context = context_;
  settings.prices = parse_prices(price_);
  ModelChoice usual{.llm = "", .model = engine.model};
  if (!llm_.empty()) {
    usual = parse_llm("--llm", llm_);
    if (!llm_model_.empty()) usual.model = llm_model_;
  } else if (!llm_model_.empty()) {
    throw UsageError("--llm-model is the name of a model of an endpoint: --llm says where that is");
  }
  settings.curriculum = curriculum_.empty() ? usual : parse_llm("--curriculum-llm", curriculum_);
  settings.action = action_.empty() ? usual : parse_llm("--action-llm", action_);
  settings.critic = critic_.empty() ? usual : parse_llm("--critic-llm", critic_);
  if (!extra_body_.empty()) {
    settings.extra_body = Json::parse(extra_body_, nullptr, false);
    if (!settings.extra_body.is_object()) throw UsageError("--llm-extra-body: not a JSON object");
  }
  settings.embedder = embedder_for(settings);
  if (!engine.model.empty() && !settings.needs_engine()) {
    throw fail<UsageError>("MODEL {} would answer nothing: every role has an endpoint", engine.model);
  }
  return settings;
}

EmbedderChoice ModelFlags::embedder_for(const ModelSettings& settings) const {
  using Kind = EmbedderChoice::Kind;
  const ModelChoice chat{.llm = "", .model = engine.model};
  const bool has_engine = settings.curriculum.llm.empty() || settings.action.llm.empty() || settings.critic.llm.empty();
  if (embedder_ == "auto") {
    if (is_fetched(kMiniLm)) return {Kind::kEncoder, {.llm = "", .model = kMiniLm}};
    return has_engine ? EmbedderChoice{Kind::kEngine, chat}
                      : EmbedderChoice{Kind::kEndpoint, settings.curriculum, /*is_tried=*/true};
  }
  if (embedder_ == "model") {
    if (has_engine) return {Kind::kEngine, chat};
    throw UsageError("--embedder model: MODEL answers nothing here; give minilm, endpoint#NAME or the name of a model");
  }
  if (embedder_ == "endpoint" || embedder_.starts_with("endpoint#")) {
    for (const ModelChoice* const choice : {&settings.curriculum, &settings.action, &settings.critic}) {
      if (choice->llm.empty()) continue;
      const std::string name = embedder_.substr(std::min(embedder_.size(), std::string_view("endpoint#").size()));
      return {Kind::kEndpoint, {.llm = choice->llm, .model = name.empty() ? choice->model : name}};
    }
    throw UsageError("--embedder endpoint: no endpoint was given; --llm says where one is");
  }
  format::resolve_model(embedder_);  // throws where it is not there
  return {Kind::kEncoder, {.llm = "", .model = embedder_}};
}

std::string ModelFlags::api_key() const {
  std::string key = api_key_;
  if (!api_key_file_.empty()) key = without_line_end(read_file(api_key_file_));
  if (const char* const variable = std::getenv("OPENAI_API_KEY"); key.empty() && variable != nullptr) key = variable;
  const auto is_printable = [](char c) { return c > ' ' && c <= '~'; };
  if (!std::ranges::all_of(key, is_printable)) {
    throw UsageError(
        "the key for endpoints (--llm-api-key, its file, or OPENAI_API_KEY) has spaces or bytes that no "
        "header may have");
  }
  return key;
}

}  // namespace caravel::cli
