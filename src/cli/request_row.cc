#include "cli/request_row.h"

#include <charconv>
#include <functional>
#include <map>

#include "base/error.h"
#include "server/openai/grammar_fields.h"
#include "text/tokenizer_data.h"

namespace caravel::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Row {
  Request request;
  Json messages;
  Json tools;
  Json kwargs = Json::object();
  bool has_prompt = false;
  std::optional<int> top_logprobs;
  bool wants_logprobs = false;
};

[[noreturn]] void wrong_type(const char* expected, const Json& value) {
  throw fail<InvalidArgument>("must be {}, and is {}", expected, value.type_name());
}

template <typename T>
T get(const Json& value) {
  if constexpr (std::is_same_v<T, bool>) {
    if (!value.is_boolean()) wrong_type("true or false", value);
  } else if constexpr (std::is_integral_v<T>) {
    if (!value.is_number_integer()) wrong_type("an integer", value);
    const auto wide = value.get<int64_t>();
    if (!std::is_same_v<T, uint64_t> && wide != static_cast<int64_t>(static_cast<T>(wide))) {
      throw fail<InvalidArgument>("is out of range: {}", wide);
    }
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!value.is_number()) wrong_type("a number", value);
  } else {
    if (!value.is_string()) wrong_type("a string", value);
  }
  return value.get<T>();
}

template <typename T>
std::vector<T> get_list(const Json& value) {
  if (!value.is_array()) wrong_type("a list", value);
  std::vector<T> list;
  for (const Json& item : value) list.push_back(get<T>(item));
  return list;
}

using Setter = std::function<void(Row&, const Json&)>;

template <typename T>
Setter sampling(T SamplingParams::*member) {
  return [member](Row& row, const Json& value) { row.request.sampling.*member = get<T>(value); };
}
template <typename T>
Setter sampling(std::optional<T> SamplingParams::*member) {
  return [member](Row& row, const Json& value) { row.request.sampling.*member = get<T>(value); };
}
template <typename T>
Setter sampling(std::vector<T> SamplingParams::*member) {
  return [member](Row& row, const Json& value) { row.request.sampling.*member = get_list<T>(value); };
}

void set_prompt(Row& row, const Json& value) {
  row.has_prompt = true;
  if (value.is_string()) {
    row.request.prompt = value.get<std::string>();
  } else if (value.is_array()) {
    row.request.prompt = get_list<int32_t>(value);
  } else {
    wrong_type("a string or a list of token ids", value);
  }
}

void set_stop(Row& row, const Json& value) {
  row.request.sampling.stop =
      value.is_string() ? std::vector<std::string>{value.get<std::string>()} : get_list<std::string>(value);
}

void set_logit_bias(Row& row, const Json& value) {
  if (!value.is_object()) wrong_type("an object of token id to bias", value);
  row.request.sampling.logit_bias.clear();
  for (const auto& [key, bias] : value.items()) {
    int32_t token = 0;
    if (std::from_chars(key.data(), key.data() + key.size(), token).ptr != key.data() + key.size()) {
      throw fail<InvalidArgument>("has the key '{}', which is no token id", key);
    }
    row.request.sampling.logit_bias.emplace_back(token, get<float>(bias));
  }
}

// Completions give the number of alternatives, chats a flag and top_logprobs.
void set_logprobs(Row& row, const Json& value) {
  if (value.is_boolean()) {
    row.wants_logprobs = value.get<bool>();
  } else {
    row.request.sampling.logprobs = get<int>(value);
  }
}

void ignore(Row&, const Json&) {}

const std::map<std::string, Setter, std::less<>>& setters() {
  using P = SamplingParams;
  static const std::map<std::string, Setter, std::less<>> kSetters = {
      {"id",
       [](Row& row, const Json& value) {
         row.request.id = value.is_number_integer() ? value.dump() : get<std::string>(value);
       }},
      {"prompt", set_prompt},
      {"messages", [](Row& row, const Json& value) { row.messages = value; }},
      {"tools", [](Row& row, const Json& value) { row.tools = value; }},
      {"chat_template_kwargs", [](Row& row, const Json& value) { row.kwargs = value; }},
      {"max_tokens", sampling(&P::max_tokens)},
      {"max_completion_tokens", sampling(&P::max_tokens)},
      {"min_tokens", sampling(&P::min_tokens)},
      {"temperature", sampling(&P::temperature)},
      {"top_k", sampling(&P::top_k)},
      {"top_p", sampling(&P::top_p)},
      {"min_p", sampling(&P::min_p)},
      {"typical_p", sampling(&P::typical_p)},
      {"repetition_penalty", sampling(&P::repetition_penalty)},
      {"presence_penalty", sampling(&P::presence_penalty)},
      {"frequency_penalty", sampling(&P::frequency_penalty)},
      {"logit_bias", set_logit_bias},
      {"allowed_token_ids", sampling(&P::allowed_token_ids)},
      {"bad_words", sampling(&P::bad_words)},
      {"seed", sampling(&P::seed)},
      {"n", sampling(&P::n)},
      {"use_beam_search", sampling(&P::use_beam_search)},
      {"beam_width", sampling(&P::beam_width)},
      {"length_penalty", sampling(&P::length_penalty)},
      {"early_stopping", sampling(&P::early_stopping)},
      {"stop", set_stop},
      {"stop_token_ids", sampling(&P::stop_token_ids)},
      {"include_stop_str_in_output", sampling(&P::include_stop_str_in_output)},
      {"ignore_eos", sampling(&P::ignore_eos)},
      {"skip_special_tokens", sampling(&P::skip_special_tokens)},
      {"logprobs", set_logprobs},
      {"top_logprobs", [](Row& row, const Json& value) { row.top_logprobs = get<int>(value); }},
      {"prompt_logprobs", sampling(&P::prompt_logprobs)},
      {"priority", [](Row& row, const Json& value) { row.request.priority = get<int>(value); }},
      {"cache_salt", [](Row& row, const Json& value) { row.request.cache_salt = get<std::string>(value); }},
      {"add_special_tokens", [](Row& row, const Json& value) { row.request.add_special_tokens = get<bool>(value); }},
      // What clients send along and no answer depends on.
      {"model", ignore},
      {"user", ignore},
      {"metadata", ignore},
  };
  return kSetters;
}

}  // namespace

Request chat_request(const Engine& engine, const Json& messages, const SamplingParams& sampling, const Json& tools,
                     const Json& kwargs) {
  const text::ChatTemplate* chat_template = engine.chat_template();
  if (chat_template == nullptr) {
    throw fail<InvalidArgument>("{} has no chat template; give a plain prompt instead of messages",
                                engine.model().name);
  }
  const Tokenizer& tokenizer = engine.tokenizer();
  const auto stored = [&](std::optional<int32_t> id) {
    return id ? tokenizer.data().tokens[static_cast<size_t>(*id)].text : std::string();
  };
  text::ChatInput input;
  input.messages = messages;
  input.tools = tools;
  input.kwargs = kwargs;
  input.bos_token = stored(tokenizer.bos_id());
  input.eos_token = stored(tokenizer.eos_id());
  Request request;
  request.prompt = chat_template->render(input);
  // A template writes the special tokens itself; its own beginning-of-sequence token must not be doubled.
  const auto& rendered = std::get<std::string>(request.prompt);
  request.add_special_tokens = input.bos_token.empty() || !rendered.starts_with(input.bos_token);
  request.sampling = sampling;
  return request;
}

Request parse_request(const Json& json, const SamplingParams& defaults, const Engine& engine) {
  if (!json.is_object()) wrong_type("an object", json);
  Row row;
  row.request.sampling = defaults;
  Fields fields(json);
  server::openai::AnswerForm form = server::openai::parse_answer_form(fields);
  if (!form.field.empty()) row.request.sampling.grammar = std::move(form.grammar);
  for (const auto& [key, value] : json.items()) {
    if (fields.is_known(key)) continue;
    const auto setter = setters().find(key);
    if (setter == setters().end()) throw fail<InvalidArgument>("unknown field '{}'", key);
    if (value.is_null()) continue;
    try {
      setter->second(row, value);
    } catch (const Error& error) {
      throw fail<InvalidArgument>("'{}' {}", key, error.what());
    }
  }
  if (row.has_prompt == !row.messages.is_null()) {
    throw InvalidArgument("give one of 'prompt' and 'messages'");
  }
  if (row.wants_logprobs) row.request.sampling.logprobs = row.top_logprobs.value_or(0);
  if (row.has_prompt) return row.request;
  Request chat = chat_request(engine, row.messages, row.request.sampling, row.tools, row.kwargs);
  chat.id = row.request.id;
  chat.priority = row.request.priority;
  chat.cache_salt = row.request.cache_salt;
  return chat;
}

std::string to_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string token_text(const Engine& engine, int32_t token) {
  return std::string(engine.tokenizer().token_bytes(token));
}

Json logprobs_json(const std::vector<TokenLogprob>& logprobs, const Engine& engine) {
  Json list = Json::array();
  for (const TokenLogprob& entry : logprobs) {
    Json top = Json::array();
    for (const auto& [token, logprob] : entry.top) {
      top.push_back({{"token", token_text(engine, token)}, {"token_id", token}, {"logprob", logprob}});
    }
    Json item = {{"token", token_text(engine, entry.token)}, {"token_id", entry.token}, {"logprob", entry.logprob}};
    if (entry.rank > 0) item["rank"] = entry.rank;
    item["top_logprobs"] = std::move(top);
    list.push_back(std::move(item));
  }
  return list;
}

Json completion_json(const Result& result, const Completion& completion, const Engine& engine) {
  Json json = {
      {"id", result.id},
      {"index", completion.index},
      {"text", completion.text},
      {"token_ids", completion.token_ids},
      {"finish_reason", finish_reason_name(completion.finish_reason)},
      {"logprobs", completion.logprobs.empty() ? Json(nullptr) : logprobs_json(completion.logprobs, engine)},
      {"usage",
       {{"prompt_tokens", result.usage.prompt_tokens},
        {"completion_tokens", static_cast<int>(completion.token_ids.size())},
        {"cached_tokens", result.usage.cached_tokens}}},
  };
  if (!result.prompt_logprobs.empty()) json["prompt_logprobs"] = logprobs_json(result.prompt_logprobs, engine);
  if (!result.error.empty()) json["error"] = result.error;
  return json;
}

}  // namespace caravel::cli
