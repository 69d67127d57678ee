#pragma once

#include "caravel/result.h"
#include "server/endpoint/answer_text.h"
#include "server/endpoint/api_error.h"

namespace caravel::server {

/// How an endpoint spells what the engine gives for one HTTP request: as the events of a stream, or as one document at
/// the end. Each call adds what can be sent to `out`. Deltas and results last until what was made of them is sent. One
/// thread at a time.
class Answer {
 public:
  virtual ~Answer() = default;
  /// As server-sent events; else one JSON document.
  virtual bool streams() const = 0;
  /// Its text may take long to make, and is made aside from the thread that serves others.
  virtual bool is_large() const = 0;
  /// More of one of the answers to prompt number `prompt`, taken apart. Never of one that failed.
  virtual void add(size_t prompt, const Delta& delta, AnswerText& out) = 0;
  /// All answers to that prompt are whole.
  virtual void prompt_ended(size_t prompt, const Result& result, AnswerText& out) = 0;
  /// All prompts have ended.
  virtual void complete(AnswerText& out) = 0;
  /// The end of a stream that was begun and cannot go on.
  virtual void failed(const ApiError& error, AnswerText& out) = 0;
  /// The response where nothing was sent yet.
  virtual http::Response refusal(const ApiError& error) const { return error_response(error); }
};

/// One that is never streamed, and made of what is known at the end alone.
class WholeAnswer : public Answer {
 public:
  bool streams() const final { return false; }
  void add(size_t, const Delta&, AnswerText&) final {}
  void failed(const ApiError&, AnswerText&) final {}
};

}  // namespace caravel::server
