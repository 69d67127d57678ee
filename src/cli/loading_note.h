#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace caravel::cli {

/// Says "loading MODEL: 4 s" once that takes a while, each second anew over itself; its end wipes the line.
class LoadingNote {
 public:
  using Show = std::function<void(const std::string&)>;

  /// show: onto a terminal; empty: nothing is said. Called by a thread of its own until the end.
  LoadingNote(std::string model, Show show, std::chrono::milliseconds begin = kBegin);
  ~LoadingNote();
  LoadingNote(const LoadingNote&) = delete;
  LoadingNote& operator=(const LoadingNote&) = delete;

  /// Onto standard error, where that is a terminal.
  static Show on_terminal();

 private:
  static constexpr std::chrono::milliseconds kBegin{1500};

  void run(const std::string& model, std::chrono::milliseconds begin);

  const Show show_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace caravel::cli
