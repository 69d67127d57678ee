#include "server/endpoint/answer_head.h"

#include <fmt/format.h>

#include <ctime>

#include "base/hash.h"
#include "base/make_id.h"

namespace caravel::server {

AnswerHead AnswerHead::make(std::string_view id_prefix, const std::string& model, const Services& services) {
  const ModelInfo& info = services.engine.model();
  const std::string identity = fmt::format("{}|{}|{}|{}", info.path, info.architecture, info.weight_bytes, info.device);
  return {.id = make_id(id_prefix),
          .model = model,
          .created = static_cast<int64_t>(std::time(nullptr)),
          .fingerprint = fmt::format("fp_{:016x}", hash128(identity.data(), identity.size()).low)};
}

}  // namespace caravel::server
