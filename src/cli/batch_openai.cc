#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "cli/batch_answers.h"
#include "cli/given_fields.h"
#include "cli/openai_line.h"
#include "server/endpoint/api_error.h"
#include "server/endpoint/engine_work.h"
#include "server/openai/endpoints.h"

namespace caravel::cli {
namespace {

using server::ApiError;

struct Url {
  std::string_view path;
  server::Endpoint endpoint;
  Surface surface;
};

constexpr Url kUrls[] = {
    {"/v1/chat/completions", server::openai::chat_completions, Surface::kChat},
    {"/v1/completions", server::openai::completions, Surface::kCompletions},
    {"/v1/embeddings", server::openai::embeddings, Surface::kEmbeddings},
    {"/v1/responses", server::openai::responses, Surface::kResponses},
};

/// Throws ApiError.
const Url& find_url(const Json& row) {
  const Json method = row.value("method", Json("POST"));
  if (method != "POST") {
    throw ApiError(400, "invalid_request_error", fmt::format("'method' is {}; give \"POST\".", to_text(method)),
                   "method", "invalid_method");
  }
  const Json url = row.value("url", Json());
  const auto* const found = std::ranges::find_if(
      kUrls, [&](const Url& known) { return url.is_string() && url.get_ref<const std::string&>() == known.path; });
  if (found != std::end(kUrls)) return *found;
  std::vector<std::string_view> paths;
  for (const Url& known : kUrls) paths.push_back(known.path);
  throw ApiError(400, "invalid_request_error",
                 fmt::format("'url' is {}; give one of {}.", to_text(url), fmt::join(paths, ", ")), "url",
                 "invalid_url");
}

/// Counts tokens as they come; a file has nobody to show metrics to.
class TokenCounter final : public server::metrics::Recorder {
 public:
  std::unique_ptr<server::metrics::RequestRecord> arrived(const std::string&) override {
    return std::make_unique<Record>(*this);
  }
  void answered(const std::string&, int, double) override {}
  std::string exposition(const server::metrics::HttpFigures&) override { return ""; }

  int64_t tokens = 0;

 private:
  struct Record final : server::metrics::RequestRecord {
    explicit Record(TokenCounter& all) : counter(all) {}
    void tokens(int count) override { counter.tokens += count; }
    void finished(FinishReason, const Usage&) override {}
    TokenCounter& counter;
  };
};

/// What an endpoint writes, kept.
class KeptResponse final : public http::Writer {
 public:
  void respond(http::Response response) override {
    response_ = std::move(response);
    done_ = true;
  }
  void start(http::Response head) override { response_ = std::move(head); }
  void write(std::string_view piece) override { response_.body += piece; }
  void end() override { done_ = true; }

  bool done() const { return done_; }
  const http::Response& response() const { return response_; }

 private:
  http::Response response_;
  bool done_ = false;
};

RowOutcome outcome_of(const BatchRow& row, const http::Response& response) {
  RowOutcome outcome{.lines = openai_line(row, response.status, response.body)};
  const Json body = parse_json(response.body);
  if (const auto error = body.find("error"); response.status != 200) {
    outcome.failed = true;
    outcome.error = error != body.end() ? error->value("message", "") : "";
  }
  for (const Json& choice : body.value("choices", Json::array())) {
    outcome.cut += choice.value("finish_reason", Json()) == "length" ? 1 : 0;
  }
  if (body.value("status", Json()) == "incomplete") ++outcome.cut;  // of /v1/responses
  return outcome;
}

class OpenAiWork final : public RowWork {
 public:
  OpenAiWork(std::unique_ptr<http::Work> work, const BatchRow& row) : work_(std::move(work)), row_(row) {}

  std::optional<RowOutcome> advance() override {
    do {
      work_->advance(response_);
    } while (!response_.done() && work_->wake_time() == Clock::time_point::min());  // there is more of a long answer
    if (!response_.done()) return std::nullopt;
    return outcome_of(row_, response_.response());
  }

 private:
  KeptResponse response_;
  std::unique_ptr<http::Work> work_;
  const BatchRow& row_;
};

/// Nobody waits for one row: none is refused because others wait, and none is cut because it takes long.
server::ServeConfig patient() {
  server::ServeConfig config;
  config.max_waiting_requests = std::numeric_limits<int>::max();
  config.request_timeout = std::chrono::hours(24 * 365);
  return config;
}

class OpenAiAnswerer final : public RowAnswerer {
 public:
  OpenAiAnswerer(Engine& engine, const SamplingParams& given, const std::string& model_name)
      : given_(given),
        services_{.engine = engine,
                  .config = config_,
                  .model_names = {model_name},
                  .renderer = chat::Renderer(engine.tokenizer(), engine.model()),
                  .recorder = counter_,
                  .stall = server::StallWatch(config_.stall_timeout),
                  .http_figures = [] { return server::metrics::HttpFigures(); },
                  .draining = [] { return false; }} {}

  std::unique_ptr<RowWork> begin(const BatchRow& row, OnNews on_news) override {
    const Url& url = find_url(row.request);
    Json body = row.request.value("body", Json());
    if (!body.is_object()) {
      throw ApiError(400, "invalid_request_error", "'body' is no object; give the request's fields in it.", "body",
                     "invalid_type");
    }
    // MODEL answers, whatever the row was made for, and a line holds whole answers.
    for (const char* const name : {"model", "stream", "stream_options"}) body.erase(name);
    add_given_fields(body, given_, url.surface);
    const http::Request request{.id = row.key,
                                .method = "POST",
                                .path = std::string(url.path),
                                .query = "",
                                .headers = {},
                                .body = to_text(body),
                                .peer = ""};
    const http::Wake wake = std::move(on_news);
    const server::Call call{
        .services = services_, .request = request, .wake = wake, .exchange = std::make_shared<server::Exchange>()};
    server::admit(call, 1);
    return std::make_unique<OpenAiWork>(url.endpoint(call), row);
  }
  RowOutcome refuse(const BatchRow& row, const Error& error) const override {
    return outcome_of(row, server::error_response(error));
  }
  int64_t tokens() const override { return counter_.tokens; }

 private:
  const SamplingParams given_;
  const server::ServeConfig config_ = patient();
  TokenCounter counter_;
  server::Services services_;
};

}  // namespace

std::unique_ptr<RowAnswerer> answer_openai_rows(Engine& engine, const SamplingParams& given,
                                                const std::string& model_name) {
  return std::make_unique<OpenAiAnswerer>(engine, given, model_name);
}

}  // namespace caravel::cli
