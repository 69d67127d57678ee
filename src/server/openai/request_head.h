#pragma once

#include <cstdint>
#include <string>

#include "server/openai/api_error.h"
#include "server/openai/context.h"
#include "fields/fields.h"

namespace caravel::server::openai {

/// What the generating endpoints have in common beside the prompt and the sampling.
struct RequestHead {
  std::string model;  // as the client named it; the first of the server's where it did not
  bool stream = false;
  bool include_usage = false;     // stream_options: a last chunk with the usage
  bool continuous_usage = false;  // ... and the usage so far in every chunk
  bool return_token_ids = false;
  int priority = 0;
  std::string cache_salt;
};

/// The model that `fields` name. Throws ApiError 404, model_not_found.
std::string parse_model(Fields& fields, const Context& context);

/// Also takes the fields that OpenAI documents and that change no answer here: user, metadata, store and the like.
RequestHead parse_head(Fields& fields, const Context& context);

/// ApiError 404, model_not_found.
ApiError unknown_model(const std::string& name);

/// What every object of an answer begins with.
struct AnswerHead {
  std::string id;  // "chatcmpl-..."
  std::string model;
  int64_t created = 0;      // seconds since 1970
  std::string fingerprint;  // of the model and how it runs

  static AnswerHead make(std::string_view id_prefix, const std::string& model, const Context& context);
};

/// prefix and 24 random letters and digits: no two of a server are the same.
std::string make_id(std::string_view prefix);

}  // namespace caravel::server::openai
