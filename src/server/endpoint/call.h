#pragma once

#include <memory>

#include "http/http.h"
#include "server/endpoint/exchange.h"
#include "server/endpoint/services.h"

namespace caravel::server {

/// One HTTP request, as an endpoint is handed it.
struct Call {
  Services& services;
  const http::Request& request;        // lives as long as the endpoint's call
  const http::Wake& wake;              // the same
  std::shared_ptr<Exchange> exchange;  // where what is generated for it is noted
  std::shared_ptr<Admission::Ticket> ticket = std::make_shared<Admission::Ticket>(services.admission);
};

/// Answers a request: with a response that is ready, or with work that goes on. What is wrong with the request is
/// thrown (as_api_error() says how it is told) and becomes the response, in the form of errors that the path's clients
/// know. Dropping the work cancels what runs for it.
using Endpoint = std::unique_ptr<http::Work> (*)(const Call& call);

}  // namespace caravel::server
