#pragma once

#include "caravel/tokenizer.h"
#include "chat/answers.h"

namespace caravel::chat {

/// Whether the vocabulary has some mark that is looked for in the answers as a special token: then a text without
/// special tokens lacks it.
bool hides_marks(const Tokenizer& tokenizer, const AnswerLayout& layout);

}  // namespace caravel::chat
