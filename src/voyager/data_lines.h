#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace caravel::voyager {

/// What a stream of server-sent events says, line by line, however it was cut: each line "data: ..." is one event, as
/// the servers of chats write them; comments, names of events and blank lines are passed over.
class DataLines {
 public:
  using OnData = std::function<void(std::string_view data)>;

  void feed(std::string_view bytes, const OnData& on_data);
  /// The end, which may be a line's.
  void finish(const OnData& on_data);

 private:
  std::string line_;  // the beginning of one
};

}  // namespace caravel::voyager
