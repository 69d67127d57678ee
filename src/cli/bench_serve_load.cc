#include "cli/bench_serve_load.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <future>
#include <mutex>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "fields/openai_replies.h"

namespace caravel::cli {
namespace {

http::Request make_request(const LoadTarget& target, std::string method, std::string path) {
  http::Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  if (!target.api_key.empty()) request.headers.add("Authorization", "Bearer " + target.api_key);
  return request;
}

http::Request completion_request(const LoadTarget& target, const PlannedRequest& planned) {
  http::Request request =
      make_request(target, "POST", api_path(target.url.path, target.chat ? "chat/completions" : "completions"));
  request.headers.add("Content-Type", "application/json");
  Json body = {{"model", target.model},
               {"max_tokens", planned.lengths.output},
               {"temperature", 0},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}}};
  if (target.ignore_eos) body["ignore_eos"] = true;
  if (!target.chat) {
    body["prompt"] = planned.prompt;
  } else if (planned.prompt.is_string()) {
    body["messages"] = Json::array({{{"role", "user"}, {"content", planned.prompt}}});
  } else {
    body["messages"] = planned.prompt;
  }
  body.update(target.extra_body);
  request.body = to_text(body);
  return request;
}

bool has_text(const Json& choice) {
  for (const char* name : {"text", "content", "reasoning_content", "reasoning", "tool_calls"}) {
    const Json& holder = choice.contains("delta") ? choice["delta"] : choice;
    if (!holder.is_object() || !holder.contains(name)) continue;
    const Json& value = holder[name];
    if (value.is_string() ? !value.get_ref<const std::string&>().empty() : value.is_array()) return true;
  }
  return false;
}

int64_t count_of(const Json& usage, const char* name, int64_t otherwise) {
  return usage.contains(name) && usage[name].is_number_integer() ? usage[name].get<int64_t>() : otherwise;
}

/// The requests of one load: the client's thread fills in what comes, another sends and waits.
class Load {
 public:
  Load(const LoadTarget& target, size_t count) : target_(target), records_(count), answers_(count) {
    if (changed_ < 0) throw fail<IoError>("cannot make an event descriptor");
    client_ = http::Client::open(target.url, target.timeout);
  }
  ~Load() {
    client_.reset();
    ::close(changed_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  double now() const { return seconds_since(begin_); }

  void send(size_t index, const PlannedRequest& planned) {
    http::Request request = completion_request(target_, planned);
    Answer& answer = answers_[index];
    http::Callbacks callbacks;
    callbacks.on_head = [&answer](const http::Response& head) { answer.status = head.status; };
    callbacks.on_body = [this, &answer](std::string_view piece) {
      answer.body += piece;
      answer.pieces.push_back({answer.body.size(), now()});
      ++pieces_;
    };
    callbacks.on_end = [this, index](std::string error) { end(index, std::move(error)); };
    records_[index].planned = planned.lengths;
    records_[index].sent = true;
    records_[index].start = now();
    ++running_;
    client_->submit(std::move(request), std::move(callbacks));
  }

  int running() const { return running_; }
  int64_t pieces() const { return pieces_; }

  /// Until something ends, `until` (seconds since the start) or Ctrl-C.
  void wait(double until, const InterruptGuard& interrupt) const {
    std::array<pollfd, 2> waited = {{{changed_, POLLIN, 0}, {interrupt.descriptor(), POLLIN, 0}}};
    const double seconds = std::clamp(until - now(), 0.0, 1.0);
    const timespec limit = {.tv_sec = static_cast<time_t>(seconds),
                            .tv_nsec = static_cast<long>((seconds - std::floor(seconds)) * 1e9)};
    if (::ppoll(waited.data(), waited.size(), &limit, nullptr) > 0 && (waited[0].revents & POLLIN) != 0) {
      eventfd_t ended = 0;
      ::eventfd_read(changed_, &ended);
    }
  }

  /// Drops what runs; from here on the records are the caller's.
  std::vector<RequestRecord> finish() {
    client_.reset();
    for (size_t i = 0; i < records_.size(); ++i) {
      if (records_[i].ended && records_[i].error.empty())
        read_answer(answers_[i].status, answers_[i].body, answers_[i].pieces, records_[i]);
    }
    return std::move(records_);
  }

 private:
  struct Answer {
    int status = 0;
    std::string body;
    std::vector<ReceivedPiece> pieces;
  };

  void end(size_t index, std::string error) {
    records_[index].end = now();
    records_[index].error = std::move(error);
    records_[index].ended = true;
    --running_;
    ::eventfd_write(changed_, 1);
  }

  const LoadTarget& target_;
  const Clock::time_point begin_ = Clock::now();
  // Each is written by the thread that sends, then by the client's until it has ended.
  std::vector<RequestRecord> records_;
  std::vector<Answer> answers_;
  std::atomic<int> running_ = 0;
  std::atomic<int64_t> pieces_ = 0;
  const int changed_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::unique_ptr<http::Client> client_;
};

}  // namespace

void read_answer(int status, const std::string& body, const std::vector<ReceivedPiece>& pieces, RequestRecord& record) {
  if (status != 200) {
    record.error = fmt::format("status {}: {}", status, error_message(body));
    return;
  }
  record.input_tokens = record.planned.input;
  int64_t texts = 0;
  std::vector<double> choice_times;
  bool done = false;
  auto piece = pieces.begin();
  for (size_t at = 0, end = 0; (end = body.find('\n', at)) != body.npos; at = end + 1) {
    while (piece != pieces.end() && piece->end <= end) ++piece;
    std::string_view line = std::string_view(body).substr(at, end - at);
    if (!line.starts_with("data:")) continue;
    line.remove_prefix(5);
    if (line.find("[DONE]") != line.npos && line.size() < 10) {
      done = true;
      continue;
    }
    const Json event = Json::parse(line, nullptr, false);
    if (!event.is_object()) {
      record.error = "the server streamed what is not JSON: " + error_message(std::string(line));
      return;
    }
    if (event.contains("error")) {
      record.error = error_message(std::string(line));
      return;
    }
    const double time = piece != pieces.end() ? piece->time : record.end;
    if (event.contains("choices") && event["choices"].is_array() && !event["choices"].empty()) {
      choice_times.push_back(time);
      if (has_text(event["choices"][0])) {
        record.times.push_back(time);
        ++texts;
      }
    }
    if (event.contains("usage") && event["usage"].is_object()) {
      record.input_tokens = count_of(event["usage"], "prompt_tokens", record.input_tokens);
      record.output_tokens = count_of(event["usage"], "completion_tokens", record.output_tokens);
    }
  }
  if (!done) {
    record.error = "the stream ended without [DONE]: " + error_message(body);
    return;
  }
  // Tokens without text of their own, such as control tokens, still came.
  if (record.times.empty()) record.times = choice_times;
  if (record.output_tokens == 0) record.output_tokens = texts;
  if (record.times.empty()) record.error = "the answer has no text";
}

std::vector<RequestRecord> run_load(const LoadTarget& target, const std::vector<PlannedRequest>& planned,
                                    const std::vector<double>& arrivals, int max_concurrency) {
  Load load(target, planned.size());
  const InterruptGuard interrupt;
  Progress progress(interrupt, static_cast<int64_t>(planned.size()), 0);
  size_t sent = 0;
  while ((sent < planned.size() || load.running() > 0) && !interrupt.interrupted()) {
    const bool has_room = max_concurrency == 0 || load.running() < max_concurrency;
    if (sent < planned.size() && has_room && load.now() >= arrivals[sent]) {
      load.send(sent, planned[sent]);
      ++sent;
      continue;
    }
    load.wait(sent < planned.size() && has_room ? arrivals[sent] : load.now() + 1, interrupt);
    progress.update(static_cast<int64_t>(sent) - load.running(), load.pieces());
  }
  return load.finish();
}

RequestRecord try_once(const LoadTarget& target, const PlannedRequest& planned) {
  Load load(target, 1);
  const InterruptGuard interrupt;
  load.send(0, planned);
  while (load.running() > 0) {
    load.wait(load.now() + 1, interrupt);
    if (interrupt.interrupted()) throw fail<Error>("interrupted before the load began");
  }
  RequestRecord record = std::move(load.finish().front());
  if (!record.error.empty()) throw fail<Error>("the first request failed: {}", record.error);
  return record;
}

std::string served_model(const LoadTarget& target) {
  const auto client = http::Client::open(target.url, target.timeout);
  std::string body;
  int status = 0;
  std::promise<std::string> ended;
  http::Callbacks callbacks;
  callbacks.on_head = [&status](const http::Response& head) { status = head.status; };
  callbacks.on_body = [&body](std::string_view piece) { body += piece; };
  callbacks.on_end = [&ended](std::string error) { ended.set_value(std::move(error)); };
  client->submit(make_request(target, "GET", api_path(target.url.path, "models")), std::move(callbacks));
  if (const std::string error = ended.get_future().get(); !error.empty()) throw fail<Error>("{}", error);
  if (status != 200) throw fail<Error>("/v1/models: status {}: {}", status, error_message(body));
  std::string model = first_model(body);
  if (model.empty()) throw fail<Error>("/v1/models names no model; give --model");
  return model;
}

}  // namespace caravel::cli
