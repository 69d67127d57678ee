#include <utility>

#include "device/cuda/cuda_device.h"

namespace caravel {
namespace {

class CudaEvent final : public Event {
 public:
  explicit CudaEvent(const CudaDevice& device) {
    device.make_current();
    check_cuda(cudaEventCreateWithFlags(&handle, cudaEventDisableTiming), "creating an event");
  }
  ~CudaEvent() override { cudaEventDestroy(handle); }
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;

  void wait() override {
    check_cuda(cudaEventSynchronize(handle), "waiting for the device");
    if (stream != nullptr && stream->profiling() != Profile::kNone) stream->gather_times();
  }

  cudaEvent_t handle = nullptr;
  CudaStream* stream = nullptr;  // where it was recorded
};

struct CudaGraph final : CommandList {
  explicit CudaGraph(cudaGraph_t captured) {
    const cudaError_t status = cudaGraphInstantiate(&handle, captured, 0);
    cudaGraphDestroy(captured);
    check_cuda(status, "making a graph of what was captured");
  }
  ~CudaGraph() override {
    if (handle != nullptr) cudaGraphExecDestroy(handle);
  }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  cudaGraphExec_t handle = nullptr;
};

}  // namespace

std::unique_ptr<Stream> CudaDevice::make_stream() { return std::make_unique<CudaStream>(*this); }

std::unique_ptr<Event> CudaDevice::make_event() { return std::make_unique<CudaEvent>(*this); }

CudaStream::CudaStream(CudaDevice& device) : device_(device) {
  device_.make_current();
  check_cuda(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "creating a stream");
}

CudaStream::~CudaStream() {
  cudaSetDevice(device_.ordinal());
  cudaStreamSynchronize(handle_);  // what it still reads and writes may go afterwards
  for (const Mark& mark : marks_) cudaEventDestroy(mark.event);
  for (const cudaEvent_t event : spare_) cudaEventDestroy(event);
  cudaStreamDestroy(handle_);
}

void CudaStream::synchronize() {
  CARAVEL_CHECK(!capturing_);
  mark(kIdle);
  check_cuda(cudaStreamSynchronize(handle_), "waiting for the device");
  gather_times();
}

void CudaStream::copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, handle_), "copying memory");
}

void CudaStream::record(Event& event) {
  CARAVEL_CHECK(!capturing_);
  auto& recorded = static_cast<CudaEvent&>(event);
  if (profiling() == Profile::kRegions) mark(kIdle);
  check_cuda(cudaEventRecord(recorded.handle, handle_), "recording an event");
  recorded.stream = this;
}

void CudaStream::wait(const Event& event) {
  CARAVEL_CHECK(!capturing_);
  check_cuda(cudaStreamWaitEvent(handle_, static_cast<const CudaEvent&>(event).handle, 0), "ordering two streams");
}

void CudaStream::begin_capture() {
  CARAVEL_CHECK(!capturing_);
  device_.make_current();
  check_cuda(cudaStreamBeginCapture(handle_, cudaStreamCaptureModeThreadLocal), "beginning a capture");
  capturing_ = true;
}

std::unique_ptr<CommandList> CudaStream::end_capture() {
  CARAVEL_CHECK(capturing_);
  capturing_ = false;
  cudaGraph_t captured = nullptr;
  check_cuda(cudaStreamEndCapture(handle_, &captured), "ending a capture");
  return std::make_unique<CudaGraph>(captured);
}

void CudaStream::run(const CommandList& list) {
  CARAVEL_CHECK(!capturing_);
  check_cuda(cudaGraphLaunch(static_cast<const CudaGraph&>(list).handle, handle_), "launching a graph");
}

void CudaStream::begin_region() { mark(current_region()); }

void CudaStream::begin_idle() { mark(kIdle); }

void CudaStream::mark(size_t region) {
  if (profiling() == Profile::kNone || capturing_) return;
  if (region == kIdle && !marks_.empty() && marks_.back().region == kIdle) return;
  cudaEvent_t event = nullptr;
  if (spare_.empty()) {
    check_cuda(cudaEventCreate(&event), "creating an event");
  } else {
    event = spare_.back();
    spare_.pop_back();
  }
  marks_.push_back({event, region});
  check_cuda(cudaEventRecord(event, handle_), "recording an event");
}

void CudaStream::gather_times() {
  while (marks_.size() > 1 && cudaEventQuery(marks_[1].event) == cudaSuccess) {
    const Mark done = marks_.front();
    if (done.region != kIdle) {
      float milliseconds = 0;
      check_cuda(cudaEventElapsedTime(&milliseconds, done.event, marks_[1].event), "timing a region");
      add_time(done.region, milliseconds / 1e3);
    }
    marks_.pop_front();
    spare_.push_back(done.event);
  }
  cudaGetLastError();  // that an event is not ready counts as one
}

}  // namespace caravel
