#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "server/metrics/samples.h"

namespace caravel::server::metrics {
namespace {

using prometheus::MetricType;

struct ProcessStart {
  double since_epoch = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  Clock::time_point time = Clock::now();
};
// Close enough to the start: static objects are made before main().
const ProcessStart process_start;

struct Memory {
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

Memory memory_of_process() {
  std::ifstream statm("/proc/self/statm");
  Memory pages;
  statm >> pages.virtual_bytes >> pages.resident_bytes;
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  return {pages.virtual_bytes * page, pages.resident_bytes * page};
}

double open_descriptors() {
  double count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  return count;
}

double processor_seconds() {
  timespec time = {};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

void add_process_samples(const Naming& naming, Families& out) {
  const auto one = [&](std::string name, const char* help, MetricType type, double value) {
    add(out.emplace_back(make_family(std::move(name), help, type)), {}, value);
  };
  const Memory memory = memory_of_process();
  one("process_resident_memory_bytes", "Resident memory", MetricType::Gauge, memory.resident_bytes);
  one("process_virtual_memory_bytes", "Virtual memory", MetricType::Gauge, memory.virtual_bytes);
  one("process_open_fds", "Open file descriptors", MetricType::Gauge, open_descriptors());
  one("process_cpu_seconds_total", "Processor time, user and system", MetricType::Counter, processor_seconds());
  one("process_start_time_seconds", "Start, in seconds since 1970", MetricType::Gauge, process_start.since_epoch);
  one(naming.prefix + "uptime_seconds", "Time since the start", MetricType::Gauge, seconds_since(process_start.time));
}

}  // namespace caravel::server::metrics
