#include "engine/checked_request.h"

#include <algorithm>

namespace caravel::engine {

bool CheckedRequest::ends_generation(int32_t token) const {
  return std::ranges::find(end_of_generation_ids, token) != end_of_generation_ids.end();
}

bool CheckedRequest::stops(int32_t token) const {
  return std::ranges::find(params.stop_token_ids, token) != params.stop_token_ids.end();
}

}  // namespace caravel::engine
