#include "server/web/assets.h"

#include <fmt/format.h>

#include <map>

#include "base/check.h"
#include "base/hash.h"

namespace caravel::server::web {
namespace {

std::string_view content_type(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  CARAVEL_CHECK(name.ends_with(".svg"));
  return "image/svg+xml";
}

std::string path_of(std::string_view name) {
  if (name == "chat.html") return "/";
  if (name.ends_with(".html")) return fmt::format("/{}", name.substr(0, name.rfind('.')));
  return fmt::format("/web/{}", name);
}

std::map<std::string, Asset, std::less<>> all_assets() {
  std::map<std::string, Asset, std::less<>> assets;
  for (const EmbeddedFile& file : embedded_files()) {
    const Hash128 hash = hash128(file.bytes.data(), file.bytes.size());
    assets[path_of(file.name)] = {content_type(file.name), file.bytes, fmt::format("\"{:016x}\"", hash.low)};
  }
  return assets;
}

}  // namespace

const Asset* find_asset(std::string_view path) {
  static const std::map<std::string, Asset, std::less<>> kAssets = all_assets();
  const auto found = kAssets.find(path);
  return found == kAssets.end() ? nullptr : &found->second;
}

}  // namespace caravel::server::web
