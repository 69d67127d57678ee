#pragma once

#include <string_view>

namespace caravel::server::web {

/// A file of the pages, as it lies in the binary.
struct Asset {
  std::string_view content_type;
  std::string_view bytes;
  std::string_view etag;  // quoted, as the header wants it; changes with the bytes
};

/// The asset that a GET of this path gives ("/" is the chat, "/dashboard" the dashboard, "/web/chat.css", ...); nullptr
/// where there is none. Any thread.
const Asset* find_asset(std::string_view path);

}  // namespace caravel::server::web
