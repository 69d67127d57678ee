#pragma once

#include <string>

#include "http/request_reader.h"
#include "http/response_writer.h"
#include "http/transport.h"

namespace caravel::http {

/// The requests of one client: what has been read from its transport, and what a RequestReader makes of it. Of requests
/// that were pipelined one buffer is read ahead. On the loop's thread alone.
class Incoming {
 public:
  enum class Found { kTooLittle, kHead, kRequest };

  Incoming(Transport& transport, const ReaderLimits& limits);

  /// Goes on with what has been read: to the end of a head, then to the end of its request. Throws BadRequest, after
  /// which nothing more can be had here.
  Found parse();
  /// Reads from the client once. False: the client has gone, has ended its side, or the read was cancelled.
  awaitable<bool> fill();
  /// The client has ended its side: it sends nothing more, and may still read.
  bool ended() const { return ended_; }
  /// Throws away what the client sends until it ends.
  awaitable<void> discard();

  /// Nothing has been read that is not parsed.
  bool empty() const { return in_.empty(); }
  /// From kHead on; `id` and `peer` are left to the caller.
  Request& head() { return reader_.request(); }
  ResponseForm form();
  /// After kHead: the client sends its body when it has read "100 Continue".
  bool waits_for_continue() const { return in_.empty() && reader_.expects_continue(); }
  /// After kRequest: hands it out, and goes on to the next.
  Request take();

 private:
  Transport& transport_;
  const ReaderLimits limits_;
  RequestReader reader_;
  std::string in_;  // read and not yet parsed
  bool ended_ = false;
};

}  // namespace caravel::http
