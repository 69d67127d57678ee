#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>

namespace caravel::http::test {

struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // de-chunked
  int chunks = 0;                              // of a chunked body, the last one apart
  bool complete = false;
};

/// A socket to 127.0.0.1, byte by byte as a test wants it.
class RawClient {
 public:
  /// receive_buffer: bytes of SO_RCVBUF; 0: the system's.
  explicit RawClient(uint16_t port, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False where the server has gone.
  bool send(std::string_view bytes);
  /// Reads one response; `to_head`: that of a HEAD request. Not complete where the connection ends first.
  RawResponse receive(bool to_head = false);
  /// What comes within `limit`, or nothing more where it ends.
  std::string receive_some(std::chrono::milliseconds limit = std::chrono::seconds(20));
  /// The server has closed, and nothing more came before.
  bool ends(std::chrono::milliseconds limit = std::chrono::seconds(20));
  void finish();  // sends no more
  void reset();   // closes with RST
  void close();

 private:
  bool fill();

  int socket_ = -1;
  std::string in_;
};

/// Asks until it is so, for 20 s at most.
template <typename Condition>
bool eventually(Condition condition) {
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

RawResponse get(uint16_t port, const std::string& path);
std::string get_request(const std::string& path, const std::string& headers = "");
std::string post_request(const std::string& path, const std::string& body);

}  // namespace caravel::http::test
