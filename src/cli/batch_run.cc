#include "cli/batch_run.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "chat/call_ids.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/request_row.h"

namespace caravel::cli {
namespace {

std::string id_of(const Json& json, int64_t line) {
  const auto id = json.find("id");
  if (id == json.end() || id->is_null()) return fmt::format("line-{}", line);
  return id->is_string() ? id->get<std::string>() : to_text(*id);
}

/// Tells one waiting thread that some handle has news.
class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
    }
    condition_.notify_one();
  }
  /// Until rung since the last wait, or 100 ms have passed (ctrl-C is looked at then).
  void wait() {
    std::unique_lock lock(mutex_);
    condition_.wait_for(lock, std::chrono::milliseconds(100), [&] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool rung_ = false;
};

std::string error_line(const std::string& id, const std::string& error) {
  return to_text({{"id", id}, {"index", 0}, {"text", ""}, {"finish_reason", "error"}, {"error", error}}) + "\n";
}

/// Every whole line of a file of results, parsed (or discarded, where it is no JSON), and as it stands with its break.
void each_result(std::string_view content, const std::function<void(Json result, std::string_view line)>& take) {
  while (true) {
    const size_t end = content.find('\n');
    if (end == std::string_view::npos) return;
    take(Json::parse(content.begin(), content.begin() + end, nullptr, /*allow_exceptions=*/false),
         content.substr(0, end + 1));
    content.remove_prefix(end + 1);
  }
}

/// Ids of calls are drawn; these are the same in every run: of the answer that they stand in and their number in it.
void settle_call_ids(Json& result) {
  static constexpr std::string_view kPrefix = "call_";
  if (!result.contains("message") || !result["message"].contains("tool_calls")) return;
  size_t number = 0;
  for (Json& call : result["message"]["tool_calls"]) {
    auto& id = call["id"].get_ref<std::string&>();
    const size_t kept = id.starts_with(kPrefix) ? kPrefix.size() : 0;
    const std::string place = fmt::format("{}/{}/{}", to_text(result["id"]), to_text(result["index"]), number++);
    id.replace(kept, std::string::npos, chat::derived_call_id(place, id.size() - kept));
  }
}

bool is_failed(const Json& result) { return result.contains("error"); }

}  // namespace

BatchRun::BatchRun(const std::string& input, std::string output) : path_(std::move(output)), rows_(read_rows(input)) {
  std::error_code error;
  if (input != "-" && std::filesystem::equivalent(input, path_, error)) {
    throw fail<InvalidArgument>("{}: the --output is the --input; give another file", path_);
  }
  output_.emplace(path_);  // it is this run's from here on
  finished_ = read_finished(path_, rows_);
  output_->keep(finished_.bytes);
}

std::vector<BatchRun::Row> BatchRun::read_rows(const std::string& input) {
  std::istringstream file;
  if (input != "-") file.str(read_file(input));
  std::istream& stream = input == "-" ? std::cin : file;
  std::vector<Row> rows;
  std::unordered_set<std::string> ids;
  std::string text;
  for (int64_t line = 1; std::getline(stream, text); ++line) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    Json json = parse_line(text, input, line);
    std::string id = id_of(json, line);
    if (!ids.insert(id).second) {
      throw fail<InvalidArgument>("{}:{}: the id '{}' stands on an earlier line too; ids must differ", input, line, id);
    }
    rows.push_back({std::move(json), std::move(id), line});
  }
  return rows;
}

BatchRun::Finished BatchRun::read_finished(const std::string& output, const std::vector<Row>& rows) {
  Finished finished;
  if (output.empty() || output == "-" || !std::filesystem::is_regular_file(output)) return finished;
  std::unordered_set<std::string> known;
  for (const Row& row : rows) known.insert(row.id);
  int64_t number = 0;
  each_result(read_file(output), [&](const Json& result, std::string_view line) {
    ++number;
    if (!result.is_object() || !result.contains("id") || !result.contains("finish_reason")) {
      throw fail<InvalidArgument>("{}:{}: no result of a row; give another --output", output, number);
    }
    if (const std::string id = id_of(result, 0); !known.contains(id)) {
      throw fail<InvalidArgument>(
          "{}:{}: the result of '{}', which is no row of this input; take the line out, or give another --output",
          output, number, id);
    }
    finished.bytes += line.size();
    if (is_failed(result)) {
      finished.failed = true;
    } else {
      finished.ids.insert(id_of(result, 0));
    }
  });
  return finished;
}

/// Whatever happens later, a result is in the file or its row is run again: the lines that go are errors alone.
void BatchRun::drop_failed() {
  if (!finished_.failed) return;
  std::string kept;
  each_result(read_file(path_), [&](const Json& result, std::string_view line) {
    if (!is_failed(result)) kept += line;
  });
  replace_file(path_, kept);
  output_.emplace(path_);
  output_->keep(kept.size());
}

void BatchRun::order_output() const {
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < rows_.size(); ++i) places.emplace(rows_[i].id, i);
  const std::string content = read_file(path_);
  std::vector<std::string> results(rows_.size());
  each_result(content, [&](Json result, std::string_view) {
    if (const auto usage = result.find("usage"); usage != result.end()) usage->erase("cached_tokens");
    settle_call_ids(result);
    results[places.at(id_of(result, 0))] += to_text(result) + "\n";
  });
  std::string ordered;
  ordered.reserve(content.size());
  for (const std::string& lines : results) ordered += lines;
  if (ordered != content) replace_file(path_, ordered);
}

BatchRun::Outcome BatchRun::run(Engine& engine, const SamplingParams& given, const SamplingParams& fallback,
                                int max_num_seqs) {
  drop_failed();
  const chat::Renderer renderer = make_renderer(engine);
  Outcome outcome;
  outcome.rows = static_cast<int64_t>(rows_.size());
  std::deque<const Row*> waiting;
  for (const Row& row : rows_) {
    if (!finished_.ids.contains(row.id)) waiting.push_back(&row);
  }
  int64_t done = outcome.rows - static_cast<int64_t>(waiting.size());
  int64_t tokens = 0;
  Progress progress(outcome.rows, done);
  const InterruptGuard guard;
  Bell bell;
  struct Running {
    std::unique_ptr<RequestHandle> handle;
    const Row* row = nullptr;
    bool is_chat = false;
  };
  std::vector<Running> running;

  const auto note_failure = [&](const Row& row, const std::string& error) {
    if (++outcome.failed == 1 || row.line < outcome.first_line) {
      outcome.first_line = row.line;
      outcome.first_error = error;
    }
  };
  const auto write_refusal = [&](const Row& row, const std::string& why) {
    output_->write(error_line(row.id, fmt::format("line {}: {}", row.line, why)));
    note_failure(row, why);
    ++done;
  };

  // A row's answers are written together, so that a row is in the output whole or not at all.
  const auto write_result = [&](const Running& ended) {
    const Result& result = ended.handle->result();
    std::string lines;
    for (const Completion& completion : result.completions) {
      lines += to_text(completion_json(result, completion, ended.is_chat, engine.tokenizer())) + "\n";
    }
    output_->write(lines.empty() ? error_line(result.id, result.error) : lines);
    if (lines.empty() || !result.error.empty()) note_failure(*ended.row, result.error);
    ++done;
  };

  while (!waiting.empty() || !running.empty()) {
    if (guard.interrupted()) {
      outcome.interrupted = true;
      return outcome;
    }
    while (!waiting.empty() && running.size() < 2 * static_cast<size_t>(max_num_seqs)) {
      const Row& row = *waiting.front();
      waiting.pop_front();
      try {
        Submission submission = parse_row(row.request, given, fallback, renderer);
        submission.request.id = row.id;
        const bool is_chat = submission.layout.has_value();
        running.push_back({std::move(submission).submit(engine, [&bell] { bell.ring(); }), &row, is_chat});
      } catch (const Busy& busy) {
        if (!running.empty()) {
          waiting.push_front(&row);
          break;
        }
        write_refusal(row, busy.what());
      } catch (const Error& error) {
        write_refusal(row, error.what());
      }
    }
    bell.wait();
    std::erase_if(running, [&](const Running& row) {
      Next next = row.handle->poll();
      for (; next; next = row.handle->poll()) tokens += static_cast<int64_t>(next->token_ids.size());
      if (next.ended()) write_result(row);
      return next.ended();
    });
    progress.update(done, tokens);
  }
  return outcome;
}

}  // namespace caravel::cli
