#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace caravel::format {

/// `action` throws an E whose message is one line and says `part`.
template <typename E, typename Action>
void expect_error(const std::string& part, Action action) {
  try {
    action();
    FAIL() << "nothing was thrown; expected a message with: " << part;
  } catch (const E& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(part));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
  }
}

}  // namespace caravel::format
