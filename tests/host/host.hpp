// SPDX-License-Identifier: GPL-2.0
// What the parts of the boundary on the host share.
#pragma once

namespace host {

// Ends the program, as a debug kernel would.
[[noreturn]] void die(const char *why);

// Dies where nothing may sleep.
void might_sleep();

// Dies where a module must not be asked for: with a mutex held that consumers
// wait for, maybe while they hold what loading a module waits for.
void might_request_module();

// Nothing may sleep while this is in scope.
class NoSleep {
public:
	NoSleep();
	~NoSleep();
	NoSleep(const NoSleep &) = delete;
	NoSleep &operator=(const NoSleep &) = delete;
};

// The allocation that ccm_memory_fail() asked for has failed.
bool memory_has_failed();

} // namespace host
