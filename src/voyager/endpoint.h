#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/json.h"
#include "http/client.h"
#include "voyager/patience.h"

namespace caravel::voyager {

/// An OpenAI-compatible server, and how long it is waited for.
struct EndpointConfig {
  http::Url url;                               // "http://localhost:8000/v1", with or without the version
  std::string api_key;                         // empty: none is sent
  std::chrono::milliseconds silence{180'000};  // in which nothing comes
  std::chrono::milliseconds whole{600'000};    // of one attempt
  Patience patience;
};

/// What one request got.
struct Received {
  int status = 0;
  http::Headers headers;
  std::string body;   // where nobody took its pieces, and of every status but 200
  std::string error;  // why there is none, or not all of it; empty: it is whole
};

/// Asks a server, over connections that are kept. Certificates are verified (http/client.h). One thread.
class Endpoint {
 public:
  explicit Endpoint(EndpointConfig config);
  ~Endpoint();

  /// "http://localhost:8000/v1"
  const std::string& name() const { return name_; }

  using OnBody = std::function<void(std::string_view piece)>;
  /// One attempt, waited for. `endpoint`: "chat/completions"; body: null: GET. on_body: of status 200 alone. Throws
  /// Interrupted.
  Received send(std::string_view endpoint, const Json& body, const OnBody& on_body = {});

  /// As persist() says, by this endpoint's patience and name.
  void persist(const std::function<std::optional<Refusal>()>& attempt, std::vector<std::string>& retries,
               const std::function<void(const std::string&)>& on_wait);

  /// The first model that the server has; on_wait: as persist() has it. Throws ModelError.
  std::string served_model(const std::function<void(const std::string&)>& on_wait = {});

 private:
  const EndpointConfig config_;
  const std::string name_;
  std::unique_ptr<http::Client> client_;  // nullptr: to be opened
};

/// Whether that is an answer at all, and if not, whether it is worth asking again: it is of a connection that failed, a
/// server that is too busy (429, unless a quota is used up), and its own errors (5xx, 408, 409, 425).
std::optional<Refusal> refusal_of(const Received& received);

}  // namespace caravel::voyager
