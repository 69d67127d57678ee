#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "caravel/config.h"
#include "caravel/request.h"
#include "fields/request_field.h"
#include "text/tokenizer_data.h"

namespace caravel::cli {

// MODEL and the engine's flags, in their own group of --help; `config` must outlive the parse.

/// All of them.
void add_engine_flags(CLI::App& command, EngineConfig& config);
/// Those of a command that needs the model's tokenizer alone.
void add_model_flags(CLI::App& command, EngineConfig& config);
/// Those of one that needs no model.
void add_processor_flags(CLI::App& command, EngineConfig& config);

/// How conversations become prompts and calls are told from text: the flags of every command that chats.
class ChatFlags {
 public:
  /// `config` must outlive the parse.
  void add_to(CLI::App& command, EngineConfig& config);
  /// `config` with the template that was given. Throws as read_file() does.
  EngineConfig load(EngineConfig config) const;

 private:
  std::string chat_template_;  // a file, the template itself, or a name
};

/// What requests leave open, as flags of a server: --temperature and so on, --max-tokens-default, and
/// --override-generation-config, which says the same and counts for less.
class GenerationFlags {
 public:
  void add_to(CLI::App& command);
  GenerationDefaults defaults() const;

 private:
  GenerationDefaults flags_;
  GenerationDefaults object_;
};

/// The sampling flags of generate and chat, by the table of fields.
class SamplingFlags {
 public:
  /// surface: kFlags or kTerminal, whose defaults --help shows.
  void add_to(CLI::App& command, Surface surface);

  /// The grammar's flags, at most one of them. Throws NotFound and IoError for a file that cannot be read.
  GrammarSpec grammar() const;

  /// What was given. Throws InvalidArgument for a malformed bias, and as grammar() does.
  SamplingParams params() const;

 private:
  /// A flag that says what the answer must look like.
  void add_form(CLI::App& forms, const RequestField& field);

  SamplingParams params_;
  std::vector<std::string> logit_bias_;
  GrammarSpec form_;  // its text may be the name of a file
};

}  // namespace caravel::cli
