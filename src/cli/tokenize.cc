#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "caravel/tokenizer.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/output_file.h"
#include "cli/utf8_warning.h"
#include "fields/json.h"

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
  add_model_flags(command, options->engine);
  command.callback([options] {
    const std::unique_ptr<Tokenizer> tokenizer = open_tokenizer(options->engine);
    const std::string text = read_standard_input();
    warn_of_broken_utf8(text, "standard input");
    const std::vector<int32_t> ids =
        tokenizer->encode(text, {.add_special = !options->no_bos, .parse_special = !options->no_special});
    Json tokens = Json::array();
    for (const int32_t id : ids) tokens.push_back(std::string(tokenizer->token_bytes(id)));
    OutputFile output("-");
    if (options->json) {
      output.write(to_text({{"token_ids", ids}, {"tokens", tokens}}) + "\n");
      return;
    }
    for (size_t i = 0; i < ids.size(); ++i) output.write(fmt::format("{:>7}  {}\n", ids[i], to_text(tokens[i])));
  });
}

}  // namespace caravel::cli
