#pragma once

#include "http/http.h"
#include "server/services.h"

namespace caravel::server {

/// A page or a part of one (web/assets.h): with its ETag, with headers that let it load nothing from any other host and
/// run no script that is not a file of its own, and that let no other site frame it. 404 where there is none.
http::Response page(Services& services, const http::Request& request);

}  // namespace caravel::server
