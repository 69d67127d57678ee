#include "voyager/endpoint.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/printable.h"
#include "fields/openai_replies.h"
#include "voyager/model.h"

namespace caravel::voyager {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPostLook{20};              // how often one that waits looks whether it is still wanted
constexpr size_t kMostOfReply = size_t{64} << 20;  // of one answer

/// The host's name is looked up in a thread of its own: the system does that for as long as it takes, and who asked may
/// go away. Throws Error, Interrupted.
std::unique_ptr<http::Client> open_client(const http::Url& url, milliseconds whole) {
  using Opened = std::promise<std::unique_ptr<http::Client>>;
  const auto opened = std::make_shared<Opened>();
  std::future<std::unique_ptr<http::Client>> client = opened->get_future();
  std::thread([opened, url, whole] {
    try {
      opened->set_value(http::Client::open(url, whole));
    } catch (...) {
      opened->set_exception(std::current_exception());
    }
  }).detach();
  while (client.wait_for(kPostLook) != std::future_status::ready) check_interrupt_now();
  return client.get();
}

std::string address_of(const http::Url& url) {
  const bool is_v6 = url.host.find(':') != std::string::npos;
  const bool is_usual = url.port == (url.tls ? 443 : 80);
  return fmt::format("{}://{}{}{}{}{}", url.tls ? "https" : "http", is_v6 ? "[" : "", url.host, is_v6 ? "]" : "",
                     is_usual ? "" : fmt::format(":{}", url.port), url.path);
}

/// What the client's thread has for the one that waits.
struct Mailbox {
  std::mutex mutex;
  std::condition_variable changed;
  int status = 0;
  http::Headers headers;
  std::string pieces;  // of the body, that were not taken yet
  std::optional<std::string> end;
};

http::Callbacks callbacks_to(const std::shared_ptr<Mailbox>& box) {
  return {.on_head =
              [box](const http::Response& head) {
                const std::lock_guard lock(box->mutex);
                box->status = head.status;
                box->headers = head.headers;
              },
          .on_body =
              [box](std::string_view piece) {
                const std::lock_guard lock(box->mutex);
                box->pieces += piece;
                box->changed.notify_one();
              },
          .on_end =
              [box](std::string error) {
                const std::lock_guard lock(box->mutex);
                box->end = std::move(error);
                box->changed.notify_one();
              }};
}

/// Takes a request's pieces until its end. False: what comes next is dropped, since `received.error` says why.
bool wait_for_end(Mailbox& box, milliseconds silence, const Endpoint::OnBody& on_body, Received& received) {
  Clock::time_point heard = Clock::now();
  size_t bytes = 0;
  for (;;) {
    check_interrupt_now();
    std::string pieces;
    std::optional<std::string> end;
    {
      std::unique_lock lock(box.mutex);
      box.changed.wait_for(lock, kPostLook, [&] { return box.end || !box.pieces.empty(); });
      pieces.swap(box.pieces);
      end = box.end;
      received.status = box.status;
      if (end) received.headers = std::move(box.headers);
    }
    if (!pieces.empty()) heard = Clock::now();
    bytes += pieces.size();
    if (!pieces.empty()) {
      if (on_body && received.status == 200) {
        on_body(pieces);
      } else {
        received.body += pieces;
      }
    }
    if (end) {
      received.error = *end;
      return true;
    }
    if (bytes > kMostOfReply) {
      received.error = fmt::format("the answer has more than {} MiB", kMostOfReply >> 20);
      return false;
    }
    if (Clock::now() - heard >= silence) {
      received.error = fmt::format("nothing came for {:.1f} s", static_cast<double>(silence.count()) / 1e3);
      return false;
    }
  }
}

/// A name that nobody has (another answer of the resolver asks to try again), and a certificate that nobody vouches
/// for.
constexpr std::string_view kLastingProblems[] = {"Host not found (authoritative)", "certificate verify failed"};

/// OpenAI's word for an account that has no money left: to wait does not help.
bool is_quota_used_up(const std::string& body) { return body.find("insufficient_quota") != std::string::npos; }

}  // namespace

Endpoint::Endpoint(EndpointConfig config) : config_(std::move(config)), name_(address_of(config_.url)) {}

Endpoint::~Endpoint() = default;

Received Endpoint::send(std::string_view endpoint, const Json& body, const OnBody& on_body) {
  Received received;
  http::Request request{.method = body.is_null() ? "GET" : "POST",
                        .path = api_path(config_.url.path, endpoint),
                        .body = body.is_null() ? "" : to_text(body)};
  if (!body.is_null()) request.headers.add("Content-Type", "application/json");
  if (!config_.api_key.empty()) request.headers.add("Authorization", "Bearer " + config_.api_key);
  try {
    if (client_ == nullptr) client_ = open_client(config_.url, config_.whole);
  } catch (const Error& error) {
    received.error = error.what();
    return received;
  }
  const auto box = std::make_shared<Mailbox>();
  client_->submit(std::move(request), callbacks_to(box));
  bool is_done = false;
  try {
    is_done = wait_for_end(*box, config_.silence, on_body, received);
  } catch (const Interrupted&) {
    client_.reset();
    throw;
  }
  // What still runs is dropped with its client; and a host that failed is looked up anew.
  if (!is_done || !received.error.empty()) client_.reset();
  return received;
}

void Endpoint::persist(const std::function<std::optional<Refusal>()>& attempt, std::vector<std::string>& retries,
                       const std::function<void(const std::string&)>& on_wait) {
  voyager::persist(config_.patience, name_, attempt, retries, on_wait);
}

std::string Endpoint::served_model(const std::function<void(const std::string&)>& on_wait) {
  std::string model;
  std::vector<std::string> retries;
  persist(
      [&]() -> std::optional<Refusal> {
        const Received received = send("models", nullptr);
        if (const std::optional<Refusal> refusal = refusal_of(received)) return refusal;
        model = first_model(received.body);
        if (model.empty())
          return Refusal{.what = "/models names no model; say which: --llm-model NAME, or URL#NAME", .is_final = true};
        return std::nullopt;
      },
      retries, on_wait);
  return model;
}

std::optional<Refusal> refusal_of(const Received& received) {
  if (!received.error.empty()) {
    const bool is_final = std::ranges::any_of(
        kLastingProblems, [&](std::string_view problem) { return received.error.find(problem) != std::string::npos; });
    return Refusal{.what = received.error, .is_final = is_final};
  }
  const int status = received.status;
  if (status == 200) return std::nullopt;
  constexpr int kWorthAnother[] = {408, 409, 425, 429};
  const bool is_another = std::ranges::find(kWorthAnother, status) != std::end(kWorthAnother) ||
                          (status >= 500 && status != 501 && status != 505);
  std::string said = error_message(received.body);
  if (const auto place = received.headers.find("Location"); place && status / 100 == 3) {
    said = fmt::format("what is asked for is at {}: give that address", printable(*place, 200));
  }
  Refusal refusal{.what = fmt::format("status {}{}{}", status, said.empty() ? "" : ": ", said),
                  .is_final = !is_another || (status == 429 && is_quota_used_up(received.body))};
  if (const auto header = received.headers.find("Retry-After")) {
    refusal.wait = retry_after(*header, std::chrono::system_clock::now());
  }
  return refusal;
}

}  // namespace caravel::voyager
