#include "voyager/endpoint_model.h"

#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "chat/message_json.h"
#include "fields/openai_replies.h"
#include "voyager/chat_reply.h"

namespace caravel::voyager {
namespace {

constexpr std::string_view kFormat = "response_format";
constexpr std::string_view kStreamOptions = "stream_options";
constexpr std::string_view kMaxTokens = "max_tokens";
constexpr std::string_view kMaxCompletionTokens = "max_completion_tokens";

/// A field that a server may not know, and a word by which it refuses it.
struct OptionalField {
  std::string_view name, word;
};

/// max_tokens first: where its other name is wanted, the message names both.
constexpr OptionalField kOptionalFields[] = {{kMaxTokens, "max_tokens"},
                                             {kMaxCompletionTokens, "max_completion_tokens"},
                                             {kFormat, "response_format"},
                                             {kFormat, "schema"},
                                             {kFormat, "structured output"},
                                             {kFormat, "guided"},
                                             {kFormat, "grammar"},
                                             {kStreamOptions, "stream_options"},
                                             {kStreamOptions, "include_usage"},
                                             {"temperature", "temperature"},
                                             {"seed", "seed"}};

bool is_of_a_field(int status) { return status == 400 || status == 422 || status == 501; }

/// The field of `body` that the server's message names and that can be left out: none of those that were `given`.
/// Empty: none.
std::string_view refused_field(const Json& body, const Json& given, const Received& received) {
  if (!received.error.empty() || !is_of_a_field(received.status)) return "";
  for (const OptionalField& field : kOptionalFields) {
    if (body.contains(field.name) && !given.contains(field.name) && received.body.find(field.word) != std::string::npos)
      return field.name;
  }
  return "";
}

/// As servers of models count that do not say: four bytes a token.
int64_t estimated_tokens(size_t bytes) { return static_cast<int64_t>((bytes + 3) / 4); }

class EndpointModel final : public ChatModel {
 public:
  explicit EndpointModel(const EndpointModelConfig& config) : config_(config), endpoint_(config.endpoint) {}

  const std::string& name() const override { return config_.model; }

  ModelAnswer answer(const ModelRequest& request, const OnPiece& on_piece) override {
    const Clock::time_point begin = Clock::now();
    ModelAnswer answer;
    std::vector<std::string> retries;
    const auto say = [&](const std::string& note) {
      if (on_piece) on_piece("\n[" + note + "]\n");
    };
    endpoint_.persist([&] { return ask(request, on_piece, answer, retries); }, retries, say);
    if (!answer.counted) estimate(request, answer);
    answer.cost = config_.prices.of(answer.prompt_tokens, answer.completion_tokens);
    answer.seconds = seconds_since(begin);
    answer.retries = std::move(retries);
    return answer;
  }

 private:
  Json body_of(const ModelRequest& request) const {
    Json messages = Json::array();
    for (const Message& message : request.messages) messages.push_back(chat::message_json(message));
    Json body = {{"model", config_.model},
                 {"messages", std::move(messages)},
                 {"stream", true},
                 {kStreamOptions, {{"include_usage", true}}}};
    if (config_.temperature) body["temperature"] = as_written(*config_.temperature);
    if (config_.seed) body["seed"] = *config_.seed;
    if (config_.max_tokens) {
      body[has_left_out(kMaxTokens) ? kMaxCompletionTokens : kMaxTokens] = *config_.max_tokens;
    }
    if (!request.schema.empty()) {
      body[kFormat] = {{"type", "json_schema"},
                       {"json_schema",
                        {{"name", role_name(request.role)}, {"strict", true}, {"schema", parse_json(request.schema)}}}};
    }
    for (const std::string& name : left_out_) body.erase(name);
    body.update(config_.extra_body);
    return body;
  }

  bool has_left_out(std::string_view name) const { return left_out_.contains(name); }

  /// One attempt; more than one where a field is left out after the first.
  std::optional<Refusal> ask(const ModelRequest& request, const OnPiece& on_piece, ModelAnswer& answer,
                             std::vector<std::string>& retries) {
    for (;;) {
      const Json body = body_of(request);
      ChatReply reply(on_piece);
      const Received received =
          endpoint_.send("chat/completions", body, [&](std::string_view piece) { reply.feed(piece); });
      std::optional<Refusal> refusal = refusal_of(received);
      if (const std::string_view field = refused_field(body, config_.extra_body, received); refusal && !field.empty()) {
        left_out_.emplace(field);
        retries.push_back(fmt::format("{}; {} is left out from here on", refusal->what, field));
        continue;
      }
      if (refusal && received.status != 200) return refusal;
      const std::string problem = reply.finish();
      // A connection that breaks, or falls silent, when all was said has done no harm.
      if (refusal && !problem.empty()) return refusal;
      if (!problem.empty()) {
        const int status = reply.error_status();
        return Refusal{.what = problem, .is_final = status >= 400 && status < 500 && status != 429 && status != 408};
      }
      answer = reply.take();
      return std::nullopt;
    }
  }

  static void estimate(const ModelRequest& request, ModelAnswer& answer) {
    size_t bytes = 0;
    for (const Message& message : request.messages) bytes += message.content.size();
    answer.prompt_tokens = estimated_tokens(bytes);
    answer.completion_tokens = estimated_tokens(answer.text.size() + answer.reasoning.size());
  }

  const EndpointModelConfig config_;
  Endpoint endpoint_;
  std::set<std::string, std::less<>> left_out_;  // fields that the server refused
};

class EndpointEmbedder final : public Embedder {
 public:
  EndpointEmbedder(const EndpointConfig& endpoint, std::string model, std::function<void(const std::string&)> on_wait)
      : endpoint_(endpoint), model_(std::move(model)), on_wait_(std::move(on_wait)) {}

  const std::string& name() const override { return model_; }

  std::vector<float> embed(const std::string& text) override {
    std::vector<float> vector;
    std::vector<std::string> retries;
    endpoint_.persist(
        [&]() -> std::optional<Refusal> {
          const Received received = endpoint_.send("embeddings", {{"model", model_}, {"input", text}});
          if (const std::optional<Refusal> refusal = refusal_of(received)) return refusal;
          vector = vector_of(received.body);
          if (vector.empty()) return Refusal{.what = "the answer is no embedding: " + error_message(received.body)};
          return std::nullopt;
        },
        retries, on_wait_);
    if (width_ == 0) width_ = vector.size();
    if (vector.size() == width_) return vector;
    throw fail<ModelError>("{}: an embedding of {} numbers came after those of {}", endpoint_.name(), vector.size(),
                           width_);
  }

 private:
  /// Empty: there is none.
  static std::vector<float> vector_of(const std::string& body) {
    const Json json = Json::parse(body, nullptr, false);
    const Json::json_pointer first("/data/0/embedding");
    std::vector<float> vector;
    if (!json.is_object() || !json.contains(first) || !json[first].is_array()) return vector;
    for (const Json& number : json[first]) {
      if (!number.is_number()) return {};
      const auto value = number.get<double>();
      if (!(std::abs(value) <= std::numeric_limits<float>::max())) return {};
      vector.push_back(static_cast<float>(value));
    }
    return vector;
  }

  Endpoint endpoint_;
  const std::string model_;
  const std::function<void(const std::string&)> on_wait_;
  size_t width_ = 0;  // of every vector; 0: not known yet
};

}  // namespace

std::unique_ptr<ChatModel> make_endpoint_model(const EndpointModelConfig& config) {
  return std::make_unique<EndpointModel>(config);
}

std::unique_ptr<Embedder> make_endpoint_embedder(const EndpointConfig& endpoint, const std::string& model,
                                                 const std::function<void(const std::string&)>& on_wait) {
  return std::make_unique<EndpointEmbedder>(endpoint, model, on_wait);
}

}  // namespace caravel::voyager
