// SPDX-License-Identifier: GPL-2.0
// Where the thread sanitizer looks, and where not.
#pragma once

namespace ccm_sim {

// While it is in scope, the thread sanitizer does not look: what only the world
// knows is not what the core's threads share.
class Outside {
public:
	Outside();
	~Outside();
	Outside(const Outside &) = delete;
	Outside &operator=(const Outside &) = delete;

	// Of a thread that ends, and never leaves its scopes: of the one that is left.
	static void leave_for_good();
};

// While it is in scope, in one of those, it does.
class Inside {
public:
	Inside();
	~Inside();
	Inside(const Inside &) = delete;
	Inside &operator=(const Inside &) = delete;
};

} // namespace ccm_sim
