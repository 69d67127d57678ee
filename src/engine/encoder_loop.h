#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "caravel/config.h"
#include "caravel/monitor.h"
#include "caravel/stats.h"
#include "engine/monitor_log.h"
#include "engine/request_channel.h"
#include "model/encoder.h"

namespace caravel::engine {

/// A text whose embedding is asked for.
struct EncoderJob {
  std::vector<int32_t> tokens;
  int priority = 0;  // the lower goes first
  bool background = false;
  std::shared_ptr<RequestChannel> channel;
};

/// The thread that makes an encoder's embeddings: whole texts, in order of arrival (or of priority; those in the
/// background after all others), as many to a step as it holds. Sleeps while there is nothing to do.
class EncoderLoop final : public EngineMonitor {
 public:
  struct Limits {
    int max_tokens = 0;  // in a step; no text has more
    int max_texts = 0;
    bool by_priority = false;
    Profile profile = Profile::kNone;
  };
  /// `device` and `encoder` must outlive it.
  EncoderLoop(Device& device, model::Encoder& encoder, const Limits& limits);
  /// Cancels what waits and joins.
  ~EncoderLoop() override;

  // -- Any thread.

  void submit(EncoderJob job);
  Stats stats() const;
  /// Tells the thread that some job may have been cancelled; may be called when the loop has gone.
  std::function<void()> poker() const;
  // EngineMonitor's: there are no blocks.
  EngineReport report(uint64_t since_step) const override;
  void check_integrity() override;

 private:
  /// What other threads share with the loop's. Guarded by its mutex.
  struct Mailbox {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<EncoderJob> waiting;  // in the order in which they go
    bool poked = false;
    bool stopping = false;
    bool idle = false;  // the thread waits, and nothing runs
    Stats stats;
    MonitorLog log;
  };

  void run();
  /// The jobs of the next step; none: it is time to end.
  std::vector<EncoderJob> take_jobs();
  void drop_cancelled();
  void step(std::span<const EncoderJob> jobs);
  void end(const EncoderJob& job, FinishReason reason, const char* error);

  Device& device_;
  model::Encoder& encoder_;
  const Limits limits_;
  const Clock::time_point opened_ = Clock::now();
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::unique_ptr<Stream> stream_;
  model::EncoderBatch batch_;
  std::thread thread_;
};

}  // namespace caravel::engine
