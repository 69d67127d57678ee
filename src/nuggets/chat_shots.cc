#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "base/error.h"
#include "chat/message_json.h"
#include "nuggets/shot_template.h"
#include "nuggets/shot_tokens.h"

namespace caravel::nuggets {
namespace {

using Tokens = std::vector<int32_t>;

class ChatShots final : public ShotTemplate {
 public:
  ChatShots(const Tokenizer& tokenizer, const chat::Renderer& renderer, ShotOptions options)
      : tokenizer_(&tokenizer), renderer_(&renderer), options_(options) {
    // Whatever the template puts before, between and behind messages: what the prompts with and without an example end
    // with alike is the question, and what stands before it without one is the front of all prompts.
    const Tokens alone = render({&probe_});
    const Message question{.role = "user", .content = "Example"};
    const Message answer{.role = "assistant", .content = "Answer"};
    const Tokens behind = render({&question, &answer, &probe_});
    const auto differ = std::ranges::mismatch(alone.rbegin(), alone.rend(), behind.rbegin(), behind.rend());
    front_.assign(alone.begin(), differ.in1.base());
    probe_question_.assign(differ.in1.base(), alone.end());
    if (probe_question_.empty() || behind.size() <= alone.size() ||
        !std::ranges::equal(front_, std::span(behind).first(front_.size()))) {
      throw InvalidArgument(
          "the model's chat template shows no example as a turn before the task's: use --template alpaca");
    }
  }

  Tokens example(const Turn& turn) const override {
    std::vector<const Message*> messages = turn.path();
    const Message answer{.role = "assistant", .content = turn.answer()};
    messages.push_back(&answer);
    messages.push_back(&probe_);
    Tokens tokens = render(messages);
    const size_t kept = tokens.size() - std::min(tokens.size(), probe_question_.size());
    if (!std::ranges::equal(std::span(std::as_const(tokens)).subspan(kept), probe_question_)) {
      throw InvalidArgument("the chat template shows a task otherwise behind this example than behind others");
    }
    tokens.resize(kept);
    return tokens;
  }

  TaskTokens task(const Turn& turn) const override {
    std::vector<const Message*> messages = turn.path();
    // A second system message, behind an example, is what many templates refuse: the user says it.
    Message first;
    if (messages.front()->role == "system") {
      first = {.role = "user", .content = messages.front()->content};
      if (messages.at(1)->role == "user") {
        first.content += kParagraph + messages.at(1)->content;
        messages.erase(messages.begin());
      }
      messages.front() = &first;
    }
    TaskTokens tokens{.alone = render(messages), .question = {}, .answer = {}};
    if (tokens.alone.size() <= front_.size() || !std::equal(front_.begin(), front_.end(), tokens.alone.begin())) {
      throw InvalidArgument("the chat template begins the prompt of this task otherwise than that of others");
    }
    tokens.question.assign(tokens.alone.begin() + static_cast<ptrdiff_t>(front_.size()), tokens.alone.end());
    if (options_.original && tokens.alone.front() == tokenizer_->bos_id()) tokens.alone.erase(tokens.alone.begin());
    tokens.answer = encode_answer(*tokenizer_, turn.answer(), options_);
    return tokens;
  }

 private:
  Tokens render(const std::vector<const Message*>& messages) const {
    chat::Conversation conversation;
    for (const Message* message : messages) conversation.messages.push_back(chat::message_json(*message));
    return renderer_->render(conversation).tokens;
  }

  const Tokenizer* tokenizer_;
  const chat::Renderer* renderer_;
  ShotOptions options_;
  const Message probe_{.role = "user", .content = "Question"};
  Tokens front_;           // of every prompt whose example has no system message of its own
  Tokens probe_question_;  // as it stands behind an example
};

}  // namespace

std::unique_ptr<ShotTemplate> chat_shots(const Tokenizer& tokenizer, const chat::Renderer& renderer,
                                         ShotOptions options) {
  return std::make_unique<ChatShots>(tokenizer, renderer, options);
}

}  // namespace caravel::nuggets
