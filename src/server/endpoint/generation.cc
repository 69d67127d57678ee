#include "server/endpoint/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/available_memory.h"
#include "fields/sampling.h"
#include "server/endpoint/cache_scope.h"
#include "server/endpoint/engine_work.h"
#include "server/endpoint/model_name.h"
#include "server/endpoint/usage.h"

namespace caravel::server {
namespace {

/// Bytes of an answer's text that a log-probability takes, with the token that it is of: measured over the forms, 40 to
/// 90.
constexpr int64_t kLogprobText = 80;

void parse_stream_options(Fields& fields, Generation& generation) {
  const Json* value = fields.find("stream_options");
  if (value == nullptr) return;
  Fields options = fields.inner(*value, "stream_options");
  if (!generation.stream) {
    throw bad_field(fields.path("stream_options"),
                    "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  }
  generation.include_usage = options.boolean("include_usage", false);
  generation.continuous_usage = options.boolean("continuous_usage_stats", false);
  options.refuse_unknown();
}

/// Tells the metrics and the exchange what comes of a request, as it comes from the engine.
class RecordedHandle final : public RequestHandle {
 public:
  RecordedHandle(std::unique_ptr<RequestHandle> handle, std::unique_ptr<metrics::RequestRecord> record,
                 std::shared_ptr<Exchange> exchange)
      : handle_(std::move(handle)), record_(std::move(record)), exchange_(std::move(exchange)) {}

  const std::string& id() const override { return handle_->id(); }
  const Result& result() override { return handle_->result(); }
  void cancel() override { handle_->cancel(); }

  Next next(Deadline deadline) override {
    Next next = handle_->next(deadline);
    if (next) {
      if (!next->token_ids.empty()) record_->tokens(static_cast<int>(next->token_ids.size()));
      if (next->finish_reason != FinishReason::kNone) reason_ = next->finish_reason;
    }
    // What failed is not asked again.
    if (next.ended() || reason_ == FinishReason::kError) note_end();
    return next;
  }

 private:
  void note_end() {
    if (std::exchange(ended_, true)) return;
    const Usage& usage = handle_->result().usage;
    record_->finished(reason_, usage);
    exchange_->finish_reason = reason_;
    add_usage(exchange_->usage, usage);
  }

  std::unique_ptr<RequestHandle> handle_;
  std::unique_ptr<metrics::RequestRecord> record_;
  std::shared_ptr<Exchange> exchange_;
  FinishReason reason_ = FinishReason::kNone;  // how the last answer ended
  bool ended_ = false;
};

/// The answer's header for what its schemas do not enforce. Names come from the request: what a header should not have
/// is written as %XX, long ones are cut.
void note_annotations(const std::vector<std::string>& names, Exchange& exchange) {
  constexpr const char* kHeader = "Caravel-Schema-Ignored";
  constexpr size_t kMaxName = 64;
  constexpr size_t kMaxValue = 1000;
  if (names.empty() || exchange.headers.find(kHeader)) return;  // the same for each of the prompts
  std::string value;
  for (const std::string& name : names) {
    std::string shown;
    for (const char c : std::string_view(name).substr(0, kMaxName)) {
      const bool plain = c > ' ' && c < 0x7F && c != ',' && c != '%';
      shown += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
    if (name.size() > kMaxName) shown += "...";
    if (value.size() + shown.size() > kMaxValue) {
      value += ", ...";
      break;
    }
    value += (value.empty() ? "" : ", ") + shown;
  }
  exchange.headers.add(kHeader, value);
}

/// Engine::submit, whose complaints are about the grammar where they name no other field and are not about memory:
/// prompts were looked at before.
std::unique_ptr<RequestHandle> submit_one(Engine& engine, Request request, const Generation& generation,
                                          OnNews on_news) {
  try {
    return engine.submit(std::move(request), std::move(on_news));
  } catch (const InvalidField&) {
    throw;
  } catch (const CapacityError&) {
    throw;
  } catch (const Busy&) {
    throw;
  } catch (const Error& error) {
    if (const auto field = chat::about_tool(error, generation.layout.forced)) throw *field;
    if (generation.grammar_field.empty()) throw;
    throw bad_field(generation.grammar_field, error.what());
  }
}

}  // namespace

void Generation::prescribe(AnswerForm form) {
  sampling.grammar = std::move(form.grammar);
  grammar_field = std::move(form.field);
}

int Generation::prompt_tokens() const {
  size_t sum = 0;
  for (const chat::Prompt& prompt : prompts) sum += prompt.tokens.size();
  return static_cast<int>(sum);
}

bool Generation::has_large_answers() const {
  // Entries of log-probabilities, or answers, that become text in less than a millisecond.
  constexpr size_t kSmall = 32;
  const auto answers = prompts.size() * static_cast<size_t>(sampling.n.value_or(1));
  const size_t likely = sampling.logprobs ? static_cast<size_t>(*sampling.logprobs) + 1 : 0;
  return sampling.prompt_logprobs || answers * std::max<size_t>(likely, 1) > kSmall;
}

Generation parse_generation(Fields& fields, Surface surface, const Services& services) {
  Generation generation;
  generation.model = parse_model(fields, services);
  generation.stream = fields.boolean("stream", false);
  parse_stream_options(fields, generation);
  generation.return_token_ids = fields.boolean("return_token_ids", false);
  generation.priority = fields.integer("priority").value_or(0);
  generation.cache_salt = fields.string("cache_salt").value_or("");
  read_sampling(fields, surface, generation.sampling);
  resolve_sampling(generation.sampling, services.engine.generation_defaults(), default_sampling(surface));
  return generation;
}

void set_conversation(Generation& generation, const chat::Conversation& conversation, std::optional<int64_t> truncation,
                      const Services& services) {
  auto [prompt, layout] = services.renderer.prepare(
      conversation, generation.sampling, room_of(truncation, *generation.sampling.max_tokens, services.engine.model()));
  if (conversation.tools.choice == chat::ToolChoice::kForced) generation.grammar_field = "tools";
  generation.layout = std::move(layout);
  fit_prompt(prompt, conversation.path, truncation, *generation.sampling.max_tokens, services.engine.model(),
             services.engine.tokenizer());
  generation.prompts.push_back(std::move(prompt));
}

void Generation::check_size(int max_model_len, int64_t most) const {
  const auto at_each = [](const std::optional<int>& likely) { return likely ? int64_t{*likely} + 1 : 0; };
  int64_t of_prompts = 0;
  int64_t of_answers = 0;
  for (const chat::Prompt& prompt : prompts) {
    const auto length = static_cast<int64_t>(prompt.tokens.size());
    of_prompts += *sampling.n * length * at_each(sampling.prompt_logprobs);
    of_answers += *sampling.n * std::min<int64_t>(*sampling.max_tokens, std::max<int64_t>(max_model_len - length, 0)) *
                  at_each(sampling.logprobs);
  }
  const int64_t size = (of_prompts + of_answers) * kLogprobText;
  if (size <= most) return;
  const char* const field = of_prompts > of_answers ? "prompt_logprobs" : "logprobs";
  throw bad_field(field, fmt::format("Invalid '{}': the answer may hold {} log-probabilities, {} of text, of at most "
                                     "{} (--max-answer-size): ask for fewer of them, or for fewer answers or tokens.",
                                     field, of_prompts + of_answers, memory_text(size), memory_text(most)));
}

std::vector<std::unique_ptr<RequestHandle>> submit(const Call& call, const Generation& generation) {
  generation.check_size(call.services.engine.model().max_model_len, call.services.config.max_answer_bytes);
  const size_t count = generation.prompts.size();
  admit(call, static_cast<int>(count));
  const std::string salt = cache_scope(call, generation.cache_salt);
  std::vector<std::unique_ptr<RequestHandle>> handles;
  for (size_t i = 0; i < count; ++i) {
    auto handle = submit_one(call.services.engine,
                             {.id = count == 1 ? call.request.id : fmt::format("{}-{}", call.request.id, i),
                              .prompt = generation.prompts[i].tokens,
                              .sampling = generation.sampling,
                              .priority = generation.priority,
                              .cache_salt = salt},
                             generation, leave_with_first_news(call.ticket, call.wake));
    note_annotations(handle->schema_annotations(), *call.exchange);
    auto record = call.services.recorder.arrived(call.exchange->endpoint);
    handle = std::make_unique<RecordedHandle>(std::move(handle), std::move(record), call.exchange);
    handles.push_back(chat::read_answers(std::move(handle), generation.layout));
  }
  return handles;
}

}  // namespace caravel::server
