#include "engine/check_request.h"

#include <algorithm>
#include <utility>

#include "base/available_memory.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "engine/beam_task.h"
#include "fields/sampling.h"
#include "text/tokenizer_data.h"

namespace caravel::engine {
namespace {

std::vector<int32_t> prompt_of(Request& request, const LoadedModel& model, const RequestLimits& limits) {
  if (auto* const tokens = std::get_if<std::vector<int32_t>>(&request.prompt)) return std::move(*tokens);
  const std::string& text = std::get<std::string>(request.prompt);
  // What is far too long is known before it is tokenized, which would take seconds, and a hundred times its memory.
  if (const size_t least = model.tokenizer->least_tokens(text); least > static_cast<size_t>(limits.max_model_len)) {
    throw fail<InvalidArgument>(
        "the prompt has at least {} tokens; prompt and answer together may have {} (max_model_len): shorten it", least,
        limits.max_model_len);
  }
  return model.tokenizer->encode(text,
                                 {.add_special = request.add_special_tokens, .parse_special = request.parse_special});
}

/// Every way in which a text may be spelled in tokens: at the start, and after a space.
sampler::BadWords spellings(const std::vector<std::string>& texts, const Tokenizer& tokenizer) {
  std::vector<std::vector<int32_t>> result;
  for (const std::string& text : texts) {
    for (const std::string& variant : {text, " " + text}) {
      std::vector<int32_t> tokens = tokenizer.encode(variant, {.add_special = false, .parse_special = false});
      if (!tokens.empty()) result.push_back(std::move(tokens));
    }
  }
  return result;
}

void sort_unique(std::vector<int32_t>& ids) {
  std::ranges::sort(ids);
  const auto rest = std::ranges::unique(ids);
  ids.erase(rest.begin(), rest.end());
}

/// The bytes that tokens put into a text; special ones are never part of one.
grammar::TokenTrie grammar_vocabulary(const LoadedModel& model) {
  const Tokenizer& tokenizer = *model.tokenizer;
  std::vector<std::string_view> bytes(static_cast<size_t>(tokenizer.vocab_size()));
  for (size_t i = 0; i < bytes.size(); ++i) {
    const TokenType type = tokenizer.token_type(static_cast<int32_t>(i));
    const bool shown = type == TokenType::kNormal || type == TokenType::kUserDefined || type == TokenType::kByte;
    if (shown) bytes[i] = tokenizer.token_bytes(static_cast<int32_t>(i));
  }
  for (const int32_t id : model.generation_defaults.end_of_generation_ids) {
    if (static_cast<size_t>(id) < bytes.size()) bytes[static_cast<size_t>(id)] = {};
  }
  return grammar::TokenTrie(bytes, tokenizer.adds_space_prefix());
}

/// Those that live at once; the parameters are resolved.
int sequences_of(const SamplingParams& params) {
  return params.use_beam_search ? std::max(*params.n, *params.beam_width) : *params.n;
}

/// What the grammar and the request's lists of tokens leave for the beginning is something, or the empty text is whole.
void check_beginning(const sampler::SamplingRules& rules, const std::vector<int32_t>& allowed,
                     const std::shared_ptr<grammar::StateSpace>& grammar, int vocab_size) {
  grammar::Place start(grammar);
  if (start.complete()) return;
  // In shares, between which it may be given up.
  std::shared_ptr<const grammar::MaskBits> mask;
  while ((mask = start.mask(20'000)) == nullptr) check_interrupt_now();
  size_t fitting = 0;  // tokens, the request's lists aside
  for (int32_t token = 0; token < vocab_size && static_cast<size_t>(token) / 32 < mask->size(); ++token) {
    if (((*mask)[static_cast<size_t>(token) / 32] >> (token % 32) & 1U) == 0) continue;
    if (std::ranges::binary_search(rules.end_ids, token)) continue;  // they end what is whole, and are no part of it
    ++fitting;
    const bool listed = allowed.empty() || std::ranges::binary_search(allowed, token);
    if (listed && !rules.bad_words.has(token)) return;
  }
  if (fitting == 0) {
    throw InvalidArgument("no token of the model's vocabulary can begin an answer that the grammar allows");
  }
  throw fail<InvalidArgument>(
      "no token can begin the answer: the grammar allows {}, and none of them is left by allowed_token_ids, bad_words "
      "and stop_token_ids",
      fitting);
}

void check_sequences(const SamplingParams& params, int max_num_seqs) {
  const int sequences = sequences_of(params);
  if (sequences > max_num_seqs) {
    throw InvalidField(
        params.use_beam_search && params.beam_width > params.n ? "beam_width" : "n",
        fmt::format("is {}; the engine runs {} sequences at once (max_num_seqs)", sequences, max_num_seqs));
  }
}

/// Tokens of each answer for which context and pool have room, the room being shared. The last one is drawn, but not
/// computed.
int64_t answer_room(const SamplingParams& params, int64_t prompt_tokens, const RequestLimits& limits) {
  const int64_t room = limits.max_model_len - prompt_tokens;
  if (room < (*params.max_tokens > 0 ? 1 : 0)) {
    throw fail<InvalidArgument>(
        "the prompt has {} token{}; prompt and answer together may have {} (max_model_len): shorten it", prompt_tokens,
        prompt_tokens == 1 ? "" : "s", limits.max_model_len);
  }
  const int sequences = sequences_of(params);
  const int64_t held = limits.pool.most_tokens(prompt_tokens, sequences, limits.max_model_len);
  if (held == 0) {
    throw InvalidField(
        params.use_beam_search && params.beam_width > params.n ? "beam_width" : "n",
        fmt::format(
            "is {}; behind a prompt of {} tokens they need {} KV blocks of {} tokens, and there are {}: ask for "
            "fewer, or give the KV cache more memory",
            sequences, prompt_tokens, limits.pool.worst_case_blocks(prompt_tokens, prompt_tokens, sequences),
            limits.pool.block_size, limits.pool.blocks));
  }
  return std::min(room, held + 1 - prompt_tokens);
}

}  // namespace

Grammars::Grammars(const LoadedModel& model, std::function<void()> mask_ready, std::function<void()> before_mask)
    : memory(model.info.memory.grammars),
      compiler([&model] { return grammar_vocabulary(model); }, memory),
      mask_threads(
          {.ready = std::move(mask_ready), .idle = [this] { compiler.tidy(); }, .before = std::move(before_mask)}) {}

int64_t fit_length(SamplingParams& params, int64_t prompt_tokens, const RequestLimits& limits) {
  const int64_t room = answer_room(params, prompt_tokens, limits);
  const int64_t sequences = sequences_of(params);
  const int64_t of_prompt = params.prompt_logprobs ? prompt_tokens * logprob_bytes(*params.prompt_logprobs) : 0;
  const int64_t of_token = params.logprobs ? sequences * logprob_bytes(*params.logprobs) : 0;
  const int64_t most = of_token == 0 ? room : (limits.logprob_memory - of_prompt) / of_token;
  if (of_prompt > limits.logprob_memory || most < std::min(*params.max_tokens, 1)) {
    throw fail<CapacityError>(
        "the log-probabilities of {} prompt tokens ({} at each) and of {} answers ({} at each) take more than the {} "
        "that there is for them: ask for fewer",
        params.prompt_logprobs ? prompt_tokens : 0, params.prompt_logprobs.value_or(-1) + 1, sequences,
        params.logprobs.value_or(-1) + 1, memory_text(limits.logprob_memory));
  }
  params.max_tokens = static_cast<int>(std::min({int64_t{*params.max_tokens}, room, most}));
  params.min_tokens = std::min(*params.min_tokens, *params.max_tokens);
  return of_prompt + of_token * *params.max_tokens;
}

void check_tokens(std::span<const int32_t> tokens, int vocab_size, std::string_view what) {
  if (tokens.empty()) throw fail<InvalidArgument>("{} is empty: give at least one token", what);
  for (const int32_t token : tokens) {
    if (token < 0 || token >= vocab_size) {
      throw fail<InvalidArgument>("{} has token id {}; the vocabulary has ids 0 to {}", what, token, vocab_size - 1);
    }
  }
}

void check_text(const EmbedRequest& request, const ModelInfo& model) {
  check_tokens(request.tokens, model.vocab_size, "the text");
  if (request.tokens.size() > static_cast<size_t>(model.max_model_len)) {
    throw fail<InvalidArgument>("the text has {} tokens; max_model_len is {}: shorten it{}", request.tokens.size(),
                                model.max_model_len,
                                model.max_model_len < model.model_max_position ? ", or raise that" : "");
  }
}

CheckedRequest check_request(Request request, const LoadedModel& model, const RequestLimits& limits,
                             LogprobStore& store, Grammars& grammars, uint64_t seed, OnNews on_news) {
  const int vocab_size = model.rank->decoder().config().vocab_size;
  SamplingParams& params = request.sampling;
  resolve_sampling(params, model.generation_defaults, request.fallback);
  validate_sampling(params, vocab_size);
  check_sequences(params, limits.max_num_seqs);
  std::vector<int32_t> prompt = prompt_of(request, model, limits);
  check_tokens(prompt, vocab_size, "the prompt");
  CheckedRequest checked;
  checked.logprob_bytes = fit_length(params, static_cast<int64_t>(prompt.size()), limits);
  checked.tokenizer = model.tokenizer.get();
  checked.vocab_size = static_cast<size_t>(vocab_size);
  checked.text = {.skip_special = params.skip_special_tokens,
                  .stop = params.stop,
                  .include_stop = params.include_stop_str_in_output};
  if (!params.ignore_eos) checked.end_of_generation_ids = model.generation_defaults.end_of_generation_ids;
  sort_unique(params.allowed_token_ids);

  auto rules = std::make_shared<sampler::SamplingRules>(sampler::rules_of(params));
  rules->seed = params.seed.value_or(seed);
  rules->bad_words = spellings(params.bad_words, *model.tokenizer);
  rules->end_ids = checked.end_of_generation_ids;
  rules->end_ids.insert(rules->end_ids.end(), params.stop_token_ids.begin(), params.stop_token_ids.end());
  sort_unique(rules->end_ids);

  int sequences = *params.n;
  if (params.use_beam_search) {
    if (params.beam_width == 0) params.beam_width = params.n;
    sequences = *params.beam_width;
    checked.top = BeamTask::candidates(params, rules->end_ids.size(), vocab_size);
    if (checked.top > kMaxTop) {
      throw fail<InvalidArgument>("beam_width is {} and {} ids end an answer; their product must be below {}",
                                  *params.beam_width, rules->end_ids.size(), kMaxTop);
    }
  } else if (params.logprobs) {
    checked.top = std::min(*params.logprobs, vocab_size);
  }
  if (params.prompt_logprobs) {
    checked.prompt_logprobs =
        std::make_unique<PromptLogprobs>(store, prompt, std::min(*params.prompt_logprobs, vocab_size));
  }
  std::vector<std::string> annotations;
  if (params.grammar.kind != GrammarSpec::Kind::kNone) {
    checked.grammar = grammars.compiler.compile(params.grammar);
    checked.mask_threads = &grammars.mask_threads;
    check_beginning(*rules, params.allowed_token_ids, checked.grammar, vocab_size);
    for (const auto& annotation : checked.grammar->automaton().ignored()) annotations.push_back(annotation.name);
  }
  checked.channel =
      std::make_shared<RequestChannel>(std::move(request.id),
                                       RequestChannel::Shape{.answers = *params.n,
                                                             .max_tokens = *params.max_tokens,
                                                             .logprobs = params.logprobs.has_value(),
                                                             .schema_annotations = std::move(annotations)},
                                       std::move(on_news));
  // The last token of an answer is drawn, but not computed.
  const int longest = static_cast<int>(prompt.size()) + std::max(*params.max_tokens - 1, 0);
  checked.group = {.prompt = std::move(prompt),
                   .max_tokens = longest,
                   .max_sequences = sequences,
                   .priority = request.priority,
                   .background = request.background,
                   .feeds_itself = checked.grammar == nullptr && !params.use_beam_search,
                   .salt = std::move(request.cache_salt),
                   .filter = checked.prompt_logprobs.get()};
  checked.params = std::move(params);
  checked.rules = std::move(rules);
  return checked;
}

}  // namespace caravel::engine
