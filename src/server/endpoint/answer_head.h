#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/endpoint/services.h"

namespace caravel::server {

/// What every object of an answer begins with.
struct AnswerHead {
  std::string id;  // "chatcmpl-..."
  std::string model;
  int64_t created = 0;      // seconds since 1970
  std::string fingerprint;  // tells the model and how it runs

  static AnswerHead make(std::string_view id_prefix, const std::string& model, const Services& services);
};

}  // namespace caravel::server
