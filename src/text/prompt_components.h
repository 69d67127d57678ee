#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::text {

struct PromptExample {
  std::string input;
  std::string output;
  std::string reasoning = {};  // how the output follows, for chain-of-thought prompting; may be empty
};

/// A prompt by its parts (docs/prompting.md). All but the primary content may be empty.
struct PromptComponents {
  std::string instruction = {};      // what to do
  std::string primary_content = {};  // what to do it to
  std::vector<PromptExample> examples = {};
  std::string cue = {};                 // how the answer starts
  std::string supporting_content = {};  // what else helps: facts, context
};

struct PromptMode {
  std::optional<int> shots = std::nullopt;  // how many of the examples, from the first; all where absent
  bool chain_of_thought = false;            // examples with their reasoning, and a cue to reason where there is none
};

/// Reads YAML or JSON text. `source` names it in errors. Throws FormatError, with the key and the line: not YAML, a key
/// that is unknown or missing, a value of the wrong kind; CapacityError beyond 1 MiB of text, 1000 examples, or 16 MiB
/// after aliases.
PromptComponents parse_prompt_components(std::string_view text, std::string_view source);

/// One plain text. Throws InvalidArgument: more shots than examples, or an example without the reasoning that is asked
/// for.
std::string render_prompt(const PromptComponents& components, const PromptMode& mode = {});

/// The messages of a chat: the instruction as system, each example as a user's and an assistant's turn. Throws as
/// render_prompt does.
nlohmann::ordered_json render_prompt_messages(const PromptComponents& components, const PromptMode& mode = {});

}  // namespace caravel::text
