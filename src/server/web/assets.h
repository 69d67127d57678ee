#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/embedded_file.h"

namespace caravel::server::web {

/// A file of the pages, as it lies in the binary.
struct Asset {
  std::string_view content_type;
  std::string_view bytes;
  std::string etag;  // quoted, as the header wants it; changes with the bytes
};

/// The asset that a GET of this path gives ("/" is the chat, "/dashboard" the dashboard, "/web/chat.css", ...); nullptr
/// where there is none. Any thread.
const Asset* find_asset(std::string_view path);

/// Every file of pages/; made by the build.
std::span<const EmbeddedFile> embedded_files();

}  // namespace caravel::server::web
