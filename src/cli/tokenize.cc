#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "caravel/tokenizer.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/output_file.h"
#include "cli/request_row.h"
#include "format/model_path.h"
#include "format/weight_source.h"

namespace caravel::cli {

void add_tokenize(CLI::App& program) {
  struct Options {
    EngineConfig engine;
    bool json = false;
    bool no_bos = false;
    bool no_special = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *program.add_subcommand("tokenize", "Token ids of the text on standard input");
  command.add_flag("--json", options->json, "{\"token_ids\": [...], \"tokens\": [...]} instead of a line a token");
  command.add_flag("--no-bos", options->no_bos, "No beginning-of-sequence token");
  command.add_flag("--no-special", options->no_special, "Special tokens written in the text are plain text");
  add_engine_flags(command, options->engine);
  command.callback([options] {
    // The text side alone: no weight is read.
    const auto source = format::open_weights(format::resolve_model(options->engine.model));
    const Tokenizer tokenizer(source->tokenizer());
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    const std::vector<int32_t> ids =
        tokenizer.encode(text, {.add_special = !options->no_bos, .parse_special = !options->no_special});
    nlohmann::ordered_json tokens = nlohmann::ordered_json::array();
    for (const int32_t id : ids) tokens.push_back(std::string(tokenizer.token_bytes(id)));
    OutputFile output("-");
    if (options->json) {
      output.write(to_line({{"token_ids", ids}, {"tokens", tokens}}) + "\n");
      return;
    }
    for (size_t i = 0; i < ids.size(); ++i) output.write(fmt::format("{:>7}  {}\n", ids[i], to_line(tokens[i])));
  });
}

}  // namespace caravel::cli
