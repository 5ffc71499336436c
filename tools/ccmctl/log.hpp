// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <syslog.h>

#include "ccm.hpp"
#include "cluster.hpp"

namespace ccmctl {

// Lines on standard error; the journal of systemd is told their priorities.
class Log {
public:
	using Time = std::chrono::steady_clock::time_point;

	// "<4>peer 2 (beta) is down"; of LOG_ERR, LOG_WARNING, ...
	static void say(int priority, std::string_view text);

	// Of what comes again and again, one a minute.
	void say(const Event &event, const Names &names, Time now);

private:
	using What = std::pair<std::uint32_t, std::string>; // node, and words

	bool repeated(const Event &event, Time now);

	std::map<What, Time> said_;
};

}
