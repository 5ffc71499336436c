// SPDX-License-Identifier: GPL-2.0
// What is measured, among how many others of its kind.
#pragma once

#include "support/types.hpp"

namespace bench {

// What should be measured did not happen.
[[noreturn]] void die(const char *why);

struct Case {
	const char *name;
	const char *what; // one step is
	void *(*begin)(u32 others);
	// It leaves as many as there were. chance: which one.
	void (*step)(void *state, u32 chance);
	void (*end)(void *state);
};

// Of a class: Of(others), step(chance).
template <class Of> constexpr Case make_case(const char *name, const char *what)
{
	return {name, what, [](u32 others) -> void * { return new Of(others); },
		[](void *state, u32 chance) {
			static_cast<Of *>(state)->step(chance);
		},
		[](void *state) {
			delete static_cast<Of *>(state);
		}};
}

extern const Case kPlace;
extern const Case kTake;
extern const Case kCancel;
extern const Case kExpire;
extern const Case kAnswer;
extern const Case kReport;
extern const Case kLose;
extern const Case kAdmit;
extern const Case kJudge;

} // namespace bench
