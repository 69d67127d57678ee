#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "voyager/model.h"

namespace caravel::voyager {

/// Answers by a function for each role; what there is none for gets something that is in order. Remembers what it was
/// asked.
class ScriptedModel : public ChatModel, public Embedder {
 public:
  using Answer = std::function<std::string(const std::string& prompt)>;

  ScriptedModel() {
    answers[Role::kPropose] = [](const std::string&) { return R"({"reasoning": "more", "task": "Get 1 log"})"; };
    answers[Role::kQuestions] = [](const std::string&) {
      return R"({"reasoning": "", "questions": ["What is a log?"]})";
    };
    answers[Role::kAnswer] = [](const std::string&) { return "By hand."; };
    answers[Role::kDecompose] = [](const std::string&) {
      return R"({"reasoning": "", "tasks": ["Get 1 log", "Get 1 plank"]})";
    };
    answers[Role::kAction] = [](const std::string&) {
      return "Plan: 1.\n```fake\nfunction getLog(bot)\nget log 1\nsay got it\nend\n```\n";
    };
    answers[Role::kDescribe] = [](const std::string&) { return "It gets a log."; };
    answers[Role::kCritic] = [](const std::string&) { return R"({"reasoning": "", "success": true, "critique": ""})"; };
  }

  const std::string& name() const override { return known_as; }

  ModelAnswer answer(const ModelRequest& request, const OnPiece& on_piece) override {
    if (before_call) before_call();
    std::string prompt;
    for (const Message& message : request.messages) prompt += message.content + "\n";
    on_piece("a piece");
    asked.emplace_back(request.role, prompt);
    ModelAnswer answer;
    answer.text = answers.at(request.role)(prompt);
    answer.is_cut = is_cut;
    answer.prompt_tokens = 100;
    answer.completion_tokens = 10;
    answer.cost = 0.5;
    answer.seconds = 0.25;
    return answer;
  }

  /// Of its letters' counts: texts that share them are near each other.
  std::vector<float> embed(const std::string& text) override {
    if (before_call) before_call();
    ++embedded;
    std::vector<float> vector(26, 0.0F);
    for (const char c : text)
      if (c >= 'a' && c <= 'z') vector[static_cast<size_t>(c - 'a')] += 1;
    return vector;
  }

  Models models() { return {this, this, this, this}; }
  int count(Role role) const {
    int number = 0;
    for (const auto& [asked_role, prompt] : asked) number += asked_role == role ? 1 : 0;
    return number;
  }
  std::string last_prompt(Role role) const {
    std::string last;
    for (const auto& [asked_role, prompt] : asked)
      if (asked_role == role) last = prompt;
    return last;
  }

  std::map<Role, Answer> answers;
  std::function<void()> before_call;
  std::vector<std::pair<Role, std::string>> asked;
  int embedded = 0;
  bool is_cut = false;
  std::string known_as = "scripted";
};

/// One answer after the other, and the last again and again.
inline ScriptedModel::Answer in_turn(std::vector<std::string> texts) {
  return [texts = std::move(texts), next = size_t{0}](const std::string&) mutable {
    const std::string text = texts[next];
    if (next + 1 < texts.size()) ++next;
    return text;
  };
}

}  // namespace caravel::voyager
