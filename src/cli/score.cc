#include <fmt/format.h>

#include <iostream>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "caravel/engine.h"
#include "chat/score_pairs.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/request_row.h"
#include "fields/fields.h"

namespace caravel::cli {
namespace {

Json score_row(Engine& engine, const Json& row) {
  Fields fields(row);
  const Json* id = fields.find("id");
  chat::ScorePairs pairs = chat::parse_score_pairs(fields, engine.tokenizer(), engine.model().vocab_size);
  fields.refuse_unknown();
  const auto handle = engine.score({.items = std::exchange(pairs.items, {})});
  const Result& result = handle->result();
  if (!result.error.empty()) throw fail<Error>("{}", result.error);
  Json answer = Json::object();
  if (id != nullptr) answer["id"] = *id;
  answer["scores"] = Json::array();
  for (size_t i = 0; i < pairs.places.size(); ++i) {
    answer["scores"].push_back(chat::score_json(pairs, result.scores, i, engine.tokenizer()));
  }
  return answer;
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
    output.keep(0);
    const auto engine = Engine::open(options->engine);
    const InterruptGuard guard;
    std::string text;
    for (int64_t line = 1; std::getline(input, text); ++line) {
      if (guard.interrupted()) {
        exit_code = kInterruptedExitCode;
        return;
      }
      if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
      const Json row = parse_line(text, options->input, line);
      try {
        output.write(to_text(score_row(*engine, row)) + "\n");
      } catch (const InvalidArgument& error) {
        throw fail<InvalidArgument>("{}:{}: {}", options->input, line, error.what());
      }
    }
  });
}

}  // namespace caravel::cli
