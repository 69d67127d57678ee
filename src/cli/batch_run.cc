#include "cli/batch_run.h"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
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

}  // namespace

BatchRun::BatchRun(const std::string& input, const std::string& output)
    : rows_(read_rows(input)), finished_(read_finished(output, rows_)), output_(output, finished_.bytes) {}

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
  const std::string content = read_file(output);
  for (size_t begin = 0; begin < content.size();) {
    const size_t end = content.find('\n', begin);
    if (end == std::string::npos) break;
    const Json json = Json::parse(content.begin() + static_cast<ptrdiff_t>(begin),
                                  content.begin() + static_cast<ptrdiff_t>(end), nullptr, false);
    if (!json.is_object() || !json.contains("id") || !known.contains(id_of(json, 0))) {
      throw fail<InvalidArgument>("{} holds something that is no result of this input; give another --output", output);
    }
    finished.ids.insert(id_of(json, 0));
    begin = end + 1;
    finished.bytes = begin;
  }
  return finished;
}

bool BatchRun::run(Engine& engine, const SamplingParams& given, const SamplingParams& fallback, int max_num_seqs) {
  const chat::Renderer renderer = make_renderer(engine);
  std::deque<const Row*> waiting;
  for (const Row& row : rows_) {
    if (!finished_.ids.contains(row.id)) waiting.push_back(&row);
  }
  const auto total = static_cast<int64_t>(rows_.size());
  int64_t done = total - static_cast<int64_t>(waiting.size());
  int64_t tokens = 0;
  Progress progress(total, done);
  const InterruptGuard guard;
  Bell bell;
  struct Running {
    std::unique_ptr<RequestHandle> handle;
    bool is_chat = false;
  };
  std::vector<Running> running;

  // A row's answers are written together, so that a row is in the output whole or not at all.
  const auto write_result = [&](const Result& result, bool is_chat) {
    std::string lines;
    for (const Completion& completion : result.completions) {
      lines += to_text(completion_json(result, completion, is_chat, engine.tokenizer())) + "\n";
    }
    output_.write(lines.empty() ? error_line(result.id, result.error) : lines);
    ++done;
  };

  while (!waiting.empty() || !running.empty()) {
    if (guard.interrupted()) return false;
    while (!waiting.empty() && running.size() < 2 * static_cast<size_t>(max_num_seqs)) {
      const Row& row = *waiting.front();
      waiting.pop_front();
      try {
        Submission submission = parse_row(row.request, given, fallback, renderer);
        submission.request.id = row.id;
        const bool is_chat = submission.layout.has_value();
        running.push_back({std::move(submission).submit(engine, [&bell] { bell.ring(); }), is_chat});
      } catch (const Busy& busy) {
        if (!running.empty()) {
          waiting.push_front(&row);
          break;
        }
        output_.write(error_line(row.id, fmt::format("line {}: {}", row.line, busy.what())));
        ++done;
      } catch (const Error& error) {
        output_.write(error_line(row.id, fmt::format("line {}: {}", row.line, error.what())));
        ++done;
      }
    }
    bell.wait();
    std::erase_if(running, [&](const Running& row) {
      Next next = row.handle->poll();
      for (; next; next = row.handle->poll()) tokens += static_cast<int64_t>(next->token_ids.size());
      if (next.ended()) write_result(row.handle->result(), row.is_chat);
      return next.ended();
    });
    progress.update(done, tokens);
  }
  return true;
}

}  // namespace caravel::cli
