#include "cli/batch_run.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <new>
#include <unordered_set>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/usage.h"

namespace caravel::cli {
namespace {

const CapacityError kTooLittleMemory("there was not enough memory for this row; run it alone, or shorten it");

/// Tells one waiting thread that some row has news.
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

/// What decides all answers alike, beside the flags: the model and how it is prompted. Not how the model is named on
/// the command line, nor where it lies.
std::string identity(const ModelInfo& model) {
  std::string text = fmt::format("{}\n{}\n{}\n", model.name, model.architecture, model.parameters);
  for (const ModelInfo::TypeTotal& type : model.weights_by_type)
    text += fmt::format("{} {}\n", type.dtype, type.elements);
  return text + fmt::format("{}\n{}\n{}", model.chat_template, model.chat_template_traits, model.tool_call_parser);
}

}  // namespace

BatchRun::BatchRun(BatchOptions options)
    : options_(std::move(options)),
      fields_(options_.result_fields()),
      input_(read_batch(options_.input, options_.form)) {
  if (!options_.fields.empty() && input_.form == BatchForm::kOpenAi) {
    throw UsageError(
        "--fields: the rows are of OpenAI's batch form, and their results have what OpenAI's have; leave it out, and "
        "give return_token_ids in a body for token ids");
  }
  const std::string& output = options_.output;
  std::error_code error;
  if (options_.input != "-" && std::filesystem::equivalent(options_.input, output, error)) {
    throw fail<InvalidArgument>("{}: the --output is the --input; give another file", output);
  }
  output_.emplace(output);  // it is this run's from here on
  results_ = read_results(output, input_.form, fields_);
  refuse_foreign(output, results_, input_.rows);
  output_->keep(results_.content.size());
}

std::vector<const BatchRow*> BatchRun::rows_left(BatchOutcome& outcome) {
  const std::vector<const BatchResult*> matched = match_results(results_, input_.rows);
  std::vector<const BatchRow*> left;
  size_t standing = 0;  // results
  for (size_t i = 0; i < matched.size(); ++i) {
    const BatchRow& row = input_.rows[i];
    const BatchResult* const result = matched[i];
    // Whether a row was mended since an earlier version wrote its error, nobody knows.
    const bool again = result != nullptr && result->failed && (options_.retry_failed || result->digest.empty());
    if (result == nullptr || again) {
      left.push_back(&row);
      continue;
    }
    ++standing;
    if (result->key != row.key) has_old_results_ = true;
    if (result->failed) {
      ++outcome.failed_before;
      outcome.note_failure(row.line, row.named ? row.key : "", result->error);
    } else {
      ++outcome.before;
    }
  }
  if (standing < results_.items.size()) has_old_results_ = true;
  const std::unordered_set<const BatchResult*> used(matched.begin(), matched.end());
  const auto is_stale = [&](const BatchResult& result) { return !result.failed && !used.contains(&result); };
  if (const auto stale = std::ranges::count_if(results_.items, is_stale); stale > 0) {
    log::tell(
        spdlog::level::warn,
        fmt::format("{}: {} of its {} results are of rows, flags or a model that have changed since; they go when "
                    "all rows have run, and until then ctrl-C keeps them",
                    options_.output, stale, results_.items.size()));
  }
  return left;
}

bool BatchRun::begin(RowAnswerer& answerer, const BatchRow& row, const OnNews& on_news, std::deque<Running>& running) {
  Running item{.row = &row};
  try {
    item.work = answerer.begin(row, on_news);
  } catch (const Busy& busy) {
    if (!running.empty()) return false;
    item.outcome = answerer.refuse(row, busy);
  } catch (const Error& error) {
    item.outcome = answerer.refuse(row, error);
  } catch (const std::bad_alloc&) {
    item.outcome = answerer.refuse(row, kTooLittleMemory);
  }
  if (item.outcome) on_news();
  running.push_back(std::move(item));
  return true;
}

void BatchRun::advance(Running& item, const RowAnswerer& answerer) {
  if (item.outcome) return;
  try {
    item.outcome = item.work->advance();
  } catch (const std::bad_alloc&) {
    item.outcome = answerer.refuse(*item.row, kTooLittleMemory);
  }
  if (item.outcome) item.work.reset();
}

void BatchRun::write(const Running& item, BatchOutcome& outcome) {
  const BatchRow& row = *item.row;
  const RowOutcome& ended = *item.outcome;
  outcome.unread = !output_->try_write(ended.lines);
  outcome.cut += ended.cut;
  if (ended.failed) {
    outcome.note_failure(row.line, row.named ? row.key : "", ended.error);
  } else {
    ++outcome.answered;
  }
}

void BatchRun::answer(RowAnswerer& answerer, std::vector<const BatchRow*> left, size_t most_in_flight,
                      BatchOutcome& outcome) {
  std::deque<const BatchRow*> waiting(left.begin(), left.end());
  const InterruptGuard guard;
  std::optional<Progress> progress;
  if (options_.shows_progress) {
    progress.emplace(guard, outcome.rows, outcome.rows - static_cast<int64_t>(waiting.size()));
  }
  Bell bell;
  std::deque<Running> running;
  const auto can_begin = [&] { return !waiting.empty() && running.size() < most_in_flight && !guard.interrupted(); };

  while (!outcome.unread && (!waiting.empty() || !running.empty())) {
    try {
      const InterruptScope scope(guard.flag(), /*gives_way=*/false);
      while (can_begin() && begin(answerer, *waiting.front(), [&bell] { bell.ring(); }, running)) waiting.pop_front();
    } catch (const Interrupted&) {
      // The row that was begun is left.
    }
    if (guard.interrupted()) {
      outcome.interrupted = true;
      break;
    }
    bell.wait();
    for (Running& item : running) advance(item, answerer);
    for (auto item = running.begin(); item != running.end() && !outcome.unread;) {
      if (item->outcome) {
        write(*item, outcome);
        item = running.erase(item);
      } else if (options_.in_order) {
        break;
      } else {
        ++item;
      }
    }
    outcome.tokens = answerer.tokens();
    if (progress) progress->update(outcome.answered + outcome.before + outcome.failed, outcome.tokens);
  }
}

BatchOutcome BatchRun::run(RowAnswerer& answerer, const ModelInfo& model, const SamplingParams& given) {
  const Clock::time_point start = Clock::now();
  const std::string decisive = identity(model) + answerer.settings();
  for (BatchRow& row : input_.rows) row.digest = row_digest(row, input_.form, given, decisive);
  BatchOutcome outcome{.rows = static_cast<int64_t>(input_.rows.size())};
  std::vector<const BatchRow*> left = rows_left(outcome);
  answer(answerer, std::move(left), 2 * static_cast<size_t>(model.max_num_seqs), outcome);
  output_->check_in_place();
  // Results of several runs, one behind the other, are in the order of the rows by chance alone.
  const bool is_out_of_order = options_.ordered || (options_.in_order && !results_.items.empty());
  if (!outcome.interrupted && !outcome.unread && (is_out_of_order || has_old_results_)) {
    settle_results(options_.output, input_.form, input_.rows, fields_, is_out_of_order);
  }
  outcome.seconds = seconds_since(start);
  return outcome;
}

}  // namespace caravel::cli
