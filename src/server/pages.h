#pragma once

#include <memory>

#include "server/endpoint/call.h"

namespace caravel::server {

/// A page or a part of one (web/assets.h): with its ETag, with headers that let it load nothing from any other host and
/// run no script that is not a file of its own, and that let no other site frame it. 404 where there is none.
std::unique_ptr<http::Work> page(const Call& call);

}  // namespace caravel::server
