#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "caravel/tokenizer.h"
#include "chat/renderer.h"
#include "nuggets/row.h"
#include "text/prompt_components.h"

namespace caravel::nuggets {

/// A task's question and answer.
struct TaskTokens {
  std::vector<int32_t> alone;     // the zero-shot prompt
  std::vector<int32_t> question;  // what stands behind an example: one-shot, the prompt is both
  std::vector<int32_t> answer;    // what is scored after either (Nuggets, section 3.2)
};

/// How examples and tasks become tokens. Example, question and answer are tokenised apart, so that the tokens of one do
/// not depend on the others. Immutable: any thread may call it.
class ShotTemplate {
 public:
  virtual ~ShotTemplate() = default;
  /// The example with all that stands before it: where the prompts of all tasks begin. Throws InvalidArgument for what
  /// cannot be rendered.
  virtual std::vector<int32_t> example(const Turn& turn) const = 0;
  /// Throws as example() does.
  virtual TaskTokens task(const Turn& turn) const = 0;
};

struct ShotOptions {
  /// As the published code does: an answer to score is cut at 200 tokens, and a token that begins texts stands before
  /// an example alone.
  bool original = false;
};

/// By the model's chat template: the example is a turn of the user and one of the assistant, the task the user's next.
/// Both outlive it. Throws InvalidArgument: there is no template, or it renders no example that tasks could follow.
std::unique_ptr<ShotTemplate> chat_shots(const Tokenizer& tokenizer, const chat::Renderer& renderer,
                                         ShotOptions options);

/// By named components (docs/prompting.md) that hold "{instruction}" and may hold "{input}": a paragraph with "{input}"
/// is left out where there is none. An example is the same words with its answer behind them. The tokenizer outlives
/// it. Throws InvalidArgument: "{instruction}" is missing, or there are examples, which candidates are to be.
std::unique_ptr<ShotTemplate> component_shots(const Tokenizer& tokenizer, const text::PromptComponents& components,
                                              ShotOptions options);

/// The components that the paper takes over from Stanford Alpaca.
text::PromptComponents alpaca_components();

}  // namespace caravel::nuggets
