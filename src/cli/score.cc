#include <fmt/format.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "caravel/engine.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/request_row.h"
#include "text/encode_pair.h"

namespace caravel::cli {
namespace {

using Json = nlohmann::ordered_json;
using Tokens = std::vector<int32_t>;

Tokens ids_of(const Json& value, const char* field) {
  Tokens tokens;
  for (const Json& item : value) {
    if (!item.is_number_integer()) throw fail<InvalidArgument>("'{}' mixes token ids with something else", field);
    tokens.push_back(item.get<int32_t>());
  }
  return tokens;
}

std::pair<Tokens, Tokens> encode_pair(const Engine& engine, const Json& prefix, const Json& continuation) {
  if (prefix.is_array() && continuation.is_array()) {
    return {ids_of(prefix, "prefix"), ids_of(continuation, "continuations")};
  }
  if (!prefix.is_string() || !continuation.is_string()) {
    throw InvalidArgument("'prefix' and 'continuations' must both be texts, or both be lists of token ids");
  }
  return text::encode_pair(engine.tokenizer(), prefix.get<std::string>(), continuation.get<std::string>());
}

Json score_json(const Engine& engine, const Score& score) {
  Json tokens = Json::array();
  for (const int32_t token : score.tokens) tokens.push_back(token_text(engine, token));
  bool greedy = true;
  for (const bool is_greedy : score.is_greedy) greedy = greedy && is_greedy;
  return {{"logprob", score.logprob},
          {"is_greedy", greedy},
          {"tokens", std::move(tokens)},
          {"token_ids", score.tokens},
          {"token_logprobs", score.token_logprobs}};
}

Json score_row(Engine& engine, const Json& row) {
  for (const auto& [key, value] : row.items()) {
    if (key != "id" && key != "prefix" && key != "continuations") {
      throw fail<InvalidArgument>("unknown field '{}'; a row is {{\"prefix\", \"continuations\": [...]}}", key);
    }
  }
  if (!row.contains("prefix") || !row.contains("continuations") || !row["continuations"].is_array() ||
      row["continuations"].empty()) {
    throw InvalidArgument("a row is {\"prefix\": ..., \"continuations\": [...]}, with at least one continuation");
  }
  // Where the seam merges differently the prefix's ids differ too; continuations of equal ones are scored together.
  std::map<Tokens, std::vector<size_t>> by_prefix;
  std::vector<Tokens> continuations;
  for (const Json& continuation : row["continuations"]) {
    auto [prefix, tokens] = encode_pair(engine, row["prefix"], continuation);
    by_prefix[std::move(prefix)].push_back(continuations.size());
    continuations.push_back(std::move(tokens));
  }
  std::vector<Json> scores(continuations.size());
  for (const auto& [prefix, members] : by_prefix) {
    ScoreRequest request{prefix, {}};
    for (const size_t member : members) request.continuations.push_back(continuations[member]);
    const std::vector<Score> results = engine.score(request);
    for (size_t i = 0; i < members.size(); ++i) scores[members[i]] = score_json(engine, results[i]);
  }
  Json result = Json::object();
  if (row.contains("id")) result["id"] = row["id"];
  result["scores"] = std::move(scores);
  return result;
}

}  // namespace

void add_score(CLI::App& program, int& exit_code) {
  struct Options {
    EngineConfig engine;
    std::string input;
    std::string output;
    bool json = true;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *program.add_subcommand("score", "Log-probabilities of continuations of a prefix");
  command
      .add_option("-i,--input", options->input,
                  "One {\"prefix\": ..., \"continuations\": [...]} a line, texts or token ids; -: standard input")
      ->required();
  command.add_option("-o,--output", options->output, "One {\"scores\": [...]} a line; default: standard output");
  command.add_flag("--json", options->json, "One JSON object a row (there is no other form)");
  add_engine_flags(command, options->engine);
  command.callback([options, &exit_code] {
    std::istringstream file;
    if (options->input != "-") file.str(read_file(options->input));
    std::istream& input = options->input == "-" ? std::cin : file;
    OutputFile output(options->output);
    const auto engine = Engine::open(options->engine);
    const InterruptGuard guard;
    std::string text;
    for (int64_t line = 1; std::getline(input, text); ++line) {
      if (guard.interrupted()) {
        exit_code = kInterruptedExitCode;
        return;
      }
      if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
      const Json row = Json::parse(text, nullptr, false);
      if (!row.is_object()) throw fail<InvalidArgument>("{}:{}: not a JSON object", options->input, line);
      try {
        output.write(to_line(score_row(*engine, row)) + "\n");
      } catch (const InvalidArgument& error) {
        throw fail<InvalidArgument>("{}:{}: {}", options->input, line, error.what());
      }
    }
  });
}

}  // namespace caravel::cli
