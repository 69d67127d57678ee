#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "nuggets/shot_template.h"
#include "nuggets/shot_tokens.h"

namespace caravel::nuggets {
namespace {

constexpr std::string_view kInstruction = "{instruction}";
constexpr std::string_view kInput = "{input}";

/// The paragraphs that have no place for an input.
std::string paragraphs_without_input(std::string_view text) {
  std::string kept;
  while (true) {
    const size_t end = text.find(kParagraph);
    const std::string_view paragraph = text.substr(0, end);
    if (paragraph.find(kInput) == std::string_view::npos) {
      if (!kept.empty()) kept += kParagraph;
      kept += paragraph;
    }
    if (end == std::string_view::npos) return kept;
    text.remove_prefix(end + kParagraph.size());
  }
}

/// Throws InvalidArgument where a place is named that nothing fills.
void check_places(std::string_view text) {
  for (size_t begin = text.find('{'); begin != std::string_view::npos; begin = text.find('{', begin + 1)) {
    const size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", begin + 1);
    if (end == begin + 1 || end == std::string_view::npos || text[end] != '}') continue;
    const std::string_view place = text.substr(begin, end + 1 - begin);
    if (place == kInstruction || place == kInput) continue;
    throw fail<InvalidArgument>(
        "the template has {}, which nothing fills: {} and {} are filled, and the answer follows by itself", place,
        kInstruction, kInput);
  }
}

class ComponentShots final : public ShotTemplate {
 public:
  ComponentShots(const Tokenizer& tokenizer, const text::PromptComponents& components, ShotOptions options)
      : tokenizer_(&tokenizer),
        options_(options),
        with_input_(text::render_prompt(components)),
        without_input_(paragraphs_without_input(with_input_)) {
    if (!components.examples.empty()) {
      throw fail<InvalidArgument>(
          "the prompt's components have {} examples, and the candidates are to be the examples: leave them out",
          components.examples.size());
    }
    check_places(with_input_);
    has_input_ = with_input_.find(kInput) != std::string::npos;
    if (without_input_.find(kInstruction) == std::string::npos) {
      throw InvalidArgument(
          "the template has no place for {instruction}, or none that is left where a row has no input: a paragraph "
          "with "
          "{input} goes then. For example: primary_content: \"Question: {instruction}\\n\\nText: {input}\"");
    }
  }

  std::vector<int32_t> example(const Turn& turn) const override {
    return joined(start(), encode_text(*tokenizer_, words(turn) + turn.answer() + kParagraph));
  }

  TaskTokens task(const Turn& turn) const override {
    TaskTokens tokens;
    tokens.question = encode_text(*tokenizer_, words(turn));
    tokens.alone = options_.original ? tokens.question : joined(start(), tokens.question);
    tokens.answer = encode_answer(*tokenizer_, turn.answer(), options_);
    return tokens;
  }

 private:
  std::vector<int32_t> start() const {
    return tokenizer_->adds_bos() ? std::vector{*tokenizer_->bos_id()} : std::vector<int32_t>();
  }

  /// All that stands before the turn's answer. What was said before is examples too; a system message begins the first
  /// instruction, and what tools said is one.
  std::string words(const Turn& turn) const {
    std::string text;
    std::string instruction;
    const std::vector<const Message*> path = turn.path();
    const auto is_users = [](const Message* message) { return message->role == "user"; };
    const Message* const asked = *std::find_if(path.rbegin(), path.rend(), is_users);
    for (const Message* message : path) {
      if (!message->tool_calls.empty()) {
        throw InvalidArgument("the prompt's components have no place for calls of tools: use --template chat");
      }
      if (message->role == "assistant") {
        text += filled(instruction, {}) + message->content + kParagraph;
        instruction.clear();
      } else {
        instruction += (message == asked ? instruction_of(turn) : message->content) + kParagraph;
      }
    }
    if (has_input_ || turn.input.empty()) return text + filled(instruction, turn.input);
    // A template without a place for inputs has them behind their instructions.
    while (instruction.ends_with(kParagraph)) instruction.resize(instruction.size() - kParagraph.size());
    return text + filled(instruction + Turn::kBetween + turn.input, {});
  }

  std::string filled(std::string instruction, const std::string& input) const {
    while (instruction.ends_with(kParagraph)) instruction.resize(instruction.size() - kParagraph.size());
    std::string text;
    std::string_view rest = input.empty() ? without_input_ : with_input_;
    while (!rest.empty()) {
      const size_t brace = rest.find('{');
      text += rest.substr(0, brace);
      if (brace == std::string_view::npos) break;
      rest.remove_prefix(brace);
      const auto fill = [&](std::string_view place, const std::string& with) {
        if (!rest.starts_with(place)) return false;
        text += with;
        rest.remove_prefix(place.size());
        return true;
      };
      if (fill(kInstruction, instruction) || fill(kInput, input)) continue;
      text += '{';
      rest.remove_prefix(1);
    }
    return text;
  }

  const Tokenizer* tokenizer_;
  ShotOptions options_;
  std::string with_input_;
  std::string without_input_;
  bool has_input_ = false;
};

}  // namespace

std::unique_ptr<ShotTemplate> component_shots(const Tokenizer& tokenizer, const text::PromptComponents& components,
                                              ShotOptions options) {
  return std::make_unique<ComponentShots>(tokenizer, components, options);
}

text::PromptComponents alpaca_components() {
  return {
      .instruction =
          "Below is an instruction that describes a task. Write a response that appropriately completes the request.",
      .primary_content = "### Instruction:\n{instruction}\n\n### Input:\n{input}",
      .cue = "### Response:\n"};
}

}  // namespace caravel::nuggets
