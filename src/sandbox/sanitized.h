#pragma once

namespace caravel::sandbox {

#if defined(__has_feature)
#define CARAVEL_HAS_FEATURE(x) __has_feature(x)
#else
#define CARAVEL_HAS_FEATURE(x) 0
#endif

/// Sanitizers reserve terabytes of addresses, start a thread, and read files of /proc: limits of addresses and of
/// processes, and a filter of system calls, would end them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || CARAVEL_HAS_FEATURE(address_sanitizer) || \
    CARAVEL_HAS_FEATURE(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

#undef CARAVEL_HAS_FEATURE

}  // namespace caravel::sandbox
