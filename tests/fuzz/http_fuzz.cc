// Bytes of a connection: each request on it is read, or refused with BadRequest, the same in one piece as in many.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_reader.h"

namespace {

using caravel::http::BadRequest;
using caravel::http::ReaderLimits;
using caravel::http::Request;
using caravel::http::RequestReader;

// Above what the fuzzer sends: where a limit strikes may hang on the pieces.
constexpr ReaderLimits kLimits{.header_bytes = 1 << 20, .body_bytes = 1 << 20};

/// The requests that are read whole before one is refused or the bytes end.
std::vector<Request> requests_of(std::string_view bytes, size_t step) {
  std::vector<Request> requests;
  RequestReader reader(kLimits);
  std::string pending;
  try {
    for (;;) {
      const size_t taken = reader.read(pending);
      if (taken > pending.size()) std::abort();
      pending.erase(0, taken);
      if (reader.state() == RequestReader::State::kComplete) {
        requests.push_back(std::move(reader.request()));
        reader = RequestReader(kLimits);
      } else if (taken == 0) {
        if (bytes.empty()) return requests;
        pending += bytes.substr(0, step);
        bytes.remove_prefix(std::min(step, bytes.size()));
      }
    }
  } catch (const BadRequest& error) {
    if (error.status < 400 || error.status > 505) std::abort();
  }
  return requests;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<Request> whole = requests_of(bytes, std::max<size_t>(1, bytes.size()));
  const std::vector<Request> cut = requests_of(bytes, size_t{1} + data[0] % 64);
  if (whole.size() != cut.size()) std::abort();
  for (size_t i = 0; i < whole.size(); ++i) {
    if (whole[i].method != cut[i].method || whole[i].path != cut[i].path || whole[i].query != cut[i].query ||
        whole[i].body != cut[i].body || whole[i].headers.fields() != cut[i].headers.fields())
      std::abort();
    if (!whole[i].path.starts_with('/') && whole[i].path != "*") std::abort();
    if (whole[i].path.find('\0') != std::string::npos) std::abort();
  }
  return 0;
}
