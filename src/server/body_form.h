#pragma once

#include <string>

#include "http/http.h"

namespace caravel::server {

/// What is wrong with how a body that has to be JSON announces itself; empty: nothing. It is application/json, with any
/// parameters but another charset than utf-8, or says nothing of itself, and is not compressed. Browsers let any page
/// send the other types that forms have, without asking first.
std::string wrong_body_form(const http::Headers& headers);

}  // namespace caravel::server
