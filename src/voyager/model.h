#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/error.h"
#include "caravel/request.h"

namespace caravel::voyager {

/// What a model is asked for. Each has a prompt of its own (voyager/prompts.h).
enum class Role : uint8_t {
  kPropose,    // curriculum: the next task
  kQuestions,  // curriculum: what to ask about the world
  kAnswer,     // curriculum: the answer to one such question
  kDecompose,  // a goal into sub-goals
  kAction,     // code for a task
  kDescribe,   // what a skill's code does
  kCritic,     // whether a task was done
};
/// "propose", "questions", ...: also the name of its prompt's file.
std::string_view role_name(Role role);
std::optional<Role> role_named(std::string_view name);
inline constexpr int kRoles = 7;

struct ModelRequest {
  Role role = Role::kPropose;
  std::vector<Message> messages;
  std::string schema;  // JSON schema of the answer, as text; empty: plain text. A model that cannot be held to one gets
                       // the messages alone: whoever reads the answer takes both
};

struct ModelAnswer {
  std::string text;         // without what stands between reasoning marks
  std::string reasoning;    // that
  bool is_cut = false;      // by the limit of tokens, or
  bool goes_round = false;  // since it went round in circles: then is_cut stands too
  int64_t prompt_tokens = 0, completion_tokens = 0;
  bool counted = true;  // tokens are the model's own count; else an estimate, four bytes each
  double cost = 0;      // by the prices that were given
  double seconds = 0;
  std::vector<std::string> retries;  // why earlier attempts failed, as it was told
};

/// What tokens cost by the million, in one currency or another.
struct Prices {
  double input = 0, output = 0;

  double of(int64_t prompt_tokens, int64_t completion_tokens) const {
    return (input * static_cast<double>(prompt_tokens) + output * static_cast<double>(completion_tokens)) / 1e6;
  }
};

/// A model did not answer, however often it was asked; the message says what it was told, and how often it was tried.
class ModelError : public Error {
 public:
  using Error::Error;
};

/// Pieces of an answer as they come, and in brackets why it is waited for: for who watches, not to be read.
using OnPiece = std::function<void(std::string_view piece)>;

/// What answers chats: an endpoint, or an engine in this process. One thread.
class ChatModel {
 public:
  virtual ~ChatModel() = default;
  /// What prompts' records name it by.
  virtual const std::string& name() const = 0;
  /// Waits for the whole answer. Throws ModelError; Interrupted where base/interrupt.h says so.
  virtual ModelAnswer answer(const ModelRequest& request, const OnPiece& on_piece) = 0;
  /// Tokens that prompt and answer may have together; 0: not known.
  virtual int64_t context_tokens() const { return 0; }
};

/// What makes vectors of texts.
class Embedder {
 public:
  virtual ~Embedder() = default;
  virtual const std::string& name() const = 0;
  /// Not normalised; the same length for every text. Throws ModelError.
  virtual std::vector<float> embed(const std::string& text) = 0;
};

/// Who answers for whom.
struct Models {
  ChatModel* curriculum = nullptr;  // kPropose, kQuestions, kAnswer, kDecompose
  ChatModel* action = nullptr;      // kAction, kDescribe
  ChatModel* critic = nullptr;      // kCritic
  Embedder* embedder = nullptr;
};

}  // namespace caravel::voyager
