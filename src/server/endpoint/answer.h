#pragma once

#include <string>

#include "caravel/result.h"
#include "server/endpoint/api_error.h"

namespace caravel::server {

/// How an endpoint spells what the engine gives for one HTTP request: as the events of a stream, or as one document at
/// the end. Each call appends what can be sent to `out`. One thread at a time.
class Answer {
 public:
  virtual ~Answer() = default;
  /// As server-sent events; else one JSON document.
  virtual bool streams() const = 0;
  /// More of one of the answers to prompt number `prompt`, taken apart. Never of one that failed.
  virtual void add(size_t prompt, const Delta& delta, std::string& out) = 0;
  /// All answers to that prompt are whole.
  virtual void prompt_ended(size_t prompt, const Result& result, std::string& out) = 0;
  /// All prompts have ended.
  virtual void complete(std::string& out) = 0;
  /// The end of a stream that was begun and cannot go on.
  virtual void failed(const ApiError& error, std::string& out) = 0;
  /// The response where nothing was sent yet.
  virtual http::Response refusal(const ApiError& error) const { return error_response(error); }
};

/// One that is never streamed, and made of what is known at the end alone.
class WholeAnswer : public Answer {
 public:
  bool streams() const final { return false; }
  void add(size_t, const Delta&, std::string&) final {}
  void failed(const ApiError&, std::string&) final {}
};

}  // namespace caravel::server
