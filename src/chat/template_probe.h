#pragma once

#include <string>
#include <string_view>

#include "chat/template_traits.h"
#include "text/chat_template.h"

namespace caravel::chat {

/// Finds out in which form a template wants conversations, by rendering small ones and looking at what of them comes
/// out. source: the template's text. bos, eos: as for ChatInput. A template that renders none of them gets the
/// defaults.
TemplateTraits probe_template(const text::ChatTemplate& chat_template, std::string_view source, const std::string& bos,
                              const std::string& eos);

}  // namespace caravel::chat
